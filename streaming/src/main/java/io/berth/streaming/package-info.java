/**
 * Exec, attach and port-forward as Kubernetes clients speak them: one-time URLs, SPDY/3.1 and WebSocket.
 *
 * <p>{@link io.berth.streaming.StreamingServer} is the way in, {@link io.berth.streaming.StreamTarget} the way out.
 */
package io.berth.streaming;
