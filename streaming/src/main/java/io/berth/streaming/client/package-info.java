/** The client's side of the WebSocket protocol, for the command line and for tests. */
package io.berth.streaming.client;
