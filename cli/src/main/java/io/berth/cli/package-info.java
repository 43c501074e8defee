/** The berth command: starts the daemon and talks to one that runs. */
package io.berth.cli;
