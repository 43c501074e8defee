/** Reading the log files of containers. */
package io.berth.cli.logs;
