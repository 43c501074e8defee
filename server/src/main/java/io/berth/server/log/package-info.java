/** How lines of the log look, as text for people or as JSON for programs, behind SLF4J. */
package io.berth.server.log;
