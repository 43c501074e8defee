/** Changes in the lives of containers and sandboxes, told to those who listen. */
package io.berth.pod.events;
