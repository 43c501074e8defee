/** Configurations of other runtimes in Berth's words. */
package io.berth.cli.migrate;
