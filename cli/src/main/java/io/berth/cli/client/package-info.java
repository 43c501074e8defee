/** The way to a daemon: its socket and the stubs of its services. */
package io.berth.cli.client;
