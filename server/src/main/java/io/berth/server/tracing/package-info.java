/** Traces of calls and of their steps for OpenTelemetry; nothing of it is loaded unless an endpoint is configured. */
package io.berth.server.tracing;
