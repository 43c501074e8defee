/** What Berth tells Prometheus about itself. Nothing of this is loaded unless {@code metrics.address} is set. */
package io.berth.server.metrics;
