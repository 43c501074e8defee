/** What a streaming client is joined to: a further process of a container, its own process, a port of a pod. */
package io.berth.pod.stream;
