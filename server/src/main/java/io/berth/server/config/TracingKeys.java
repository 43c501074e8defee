package io.berth.server.config;

import io.berth.server.config.Config.Tracing;
import java.net.URI;
import java.util.Optional;

/** The keys below {@code [tracing]}; ratio and service name as in containerd's {@code io.containerd.internal.v1.tracing}. */
final class TracingKeys {

    private TracingKeys() {}

    static Optional<Tracing> read(ConfigTable table) {
        String endpoint = table.text("tracing.otlp_endpoint", "");
        double ratio = table.ratio("tracing.sampling_ratio", 1);
        String service = table.text("tracing.service_name", "berth");
        if (endpoint.isEmpty()) {
            return Optional.empty();
        }
        if (!endpoint.matches("https?://([0-9A-Za-z.-]+|\\[[0-9a-fA-F:]+])(:[0-9]{1,5})?(/[0-9A-Za-z._/-]*)?")) {
            table.problem("tracing.otlp_endpoint = \"" + endpoint
                    + "\": a base address such as \"http://127.0.0.1:4318\" is needed (OTLP over HTTP, not gRPC's port 4317)");
            return Optional.empty();
        }
        return Optional.of(new Tracing(URI.create(endpoint), ratio, service));
    }
}
