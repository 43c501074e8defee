package io.berth.it;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.berth.base.Digest;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;

/** A registry that gives half of an image's only layer and then waits: a pull that stays at its half. Closing it lets go. */
final class HalfRegistry implements AutoCloseable {

    private static final int LAYER_BYTES = 8_000_000;

    private final HttpServer server;
    private final CountDownLatch closed = new CountDownLatch(1);
    private final byte[] config =
            "{\"architecture\":\"amd64\",\"os\":\"linux\",\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\"%s\"]}}"
            .formatted("sha256:" + "1".repeat(64)).getBytes(StandardCharsets.UTF_8);
    private final byte[] manifest = """
            {"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json",
             "config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"%s","size":%d},
             "layers":[{"mediaType":"application/vnd.oci.image.layer.v1.tar","digest":"%s","size":%d}]}
            """.formatted(Digest.ofBytes(config), config.length, "sha256:" + "2".repeat(64), LAYER_BYTES)
            .getBytes(StandardCharsets.UTF_8);

    private HalfRegistry() throws IOException {
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.setExecutor(Executors.newVirtualThreadPerTaskExecutor());
        server.createContext("/v2/", this::answer);
    }

    static HalfRegistry start() throws IOException {
        HalfRegistry registry = new HalfRegistry();
        registry.server.start();
        return registry;
    }

    /** What a pull asks for. */
    String image() {
        return "127.0.0.1:" + server.getAddress().getPort() + "/team/half:1";
    }

    private void answer(HttpExchange exchange) throws IOException {
        String path = exchange.getRequestURI().getPath();
        try (exchange) {
            if (path.contains("/manifests/")) {
                exchange.getResponseHeaders().set("Content-Type", "application/vnd.oci.image.manifest.v1+json");
                exchange.getResponseHeaders().set("Docker-Content-Digest", Digest.ofBytes(manifest).toString());
                send(exchange, manifest);
            } else if (path.endsWith(Digest.ofBytes(config).toString())) {
                send(exchange, config);
            } else if (path.contains("/blobs/")) {
                half(exchange);
            } else {
                send(exchange, "{}".getBytes(StandardCharsets.UTF_8));
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static void send(HttpExchange exchange, byte[] body) throws IOException {
        boolean head = exchange.getRequestMethod().equals("HEAD");
        exchange.sendResponseHeaders(200, head ? -1 : body.length);
        if (!head) {
            new ByteArrayInputStream(body).transferTo(exchange.getResponseBody());
        }
    }

    private void half(HttpExchange exchange) throws IOException, InterruptedException {
        exchange.sendResponseHeaders(200, LAYER_BYTES);
        exchange.getResponseBody().write(new byte[LAYER_BYTES / 2]);
        exchange.getResponseBody().flush();
        closed.await();
    }

    @Override
    public void close() {
        closed.countDown();
        server.stop(0);
    }
}
