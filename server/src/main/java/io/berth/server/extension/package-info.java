/** Extensions in Java: loads them, calls them behind a guard, and joins them to the seams of the other modules. ADR 10. */
package io.berth.server.extension;
