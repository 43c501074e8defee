/** The console: one read-only page on loopback that shows what the node does, for a person with a browser and a token. */
package io.berth.server.console;
