/** The verbs of containers, one a file, and the watch for their ends. */
package io.berth.pod.container;
