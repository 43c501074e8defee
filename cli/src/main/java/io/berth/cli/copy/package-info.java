/** Files to and from containers, as tar archives through a tar that the container has. */
package io.berth.cli.copy;
