/** The daemon: its wiring, its socket, its start and end. The only place where everything is known. */
package io.berth.server;
