/** What several commands print alike. */
package io.berth.cli.output;
