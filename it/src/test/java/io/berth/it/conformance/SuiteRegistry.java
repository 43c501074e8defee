package io.berth.it.conformance;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.berth.base.Digest;
import java.io.IOException;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;

/** Debian's docker-registry on loopback with the suite's images; ended by {@link #close}. */
final class SuiteRegistry implements AutoCloseable {

    private static final Path PROGRAM = Path.of("/usr/bin/docker-registry");
    private static final int PATIENCE = 200;

    private final HttpClient http = HttpClient.newHttpClient();
    private final Set<String> pushed = new HashSet<>();
    private final Process process;
    private final int port;

    private SuiteRegistry(Process process, int port) {
        this.process = process;
        this.port = port;
    }

    static boolean isInstalled() {
        return Files.isExecutable(PROGRAM);
    }

    static SuiteRegistry start(Path directory) throws Exception {
        int port;
        try (ServerSocket free = new ServerSocket(0)) {
            port = free.getLocalPort();
        }
        Path config = Files.writeString(directory.resolve("registry.yml"), """
                version: 0.1
                log: {level: error}
                storage: {filesystem: {rootdirectory: %s}, cache: {}}
                http: {addr: "127.0.0.1:%d"}
                """.formatted(directory.resolve("registry"), port));
        Process process = new ProcessBuilder(PROGRAM.toString(), "serve", config.toString()).redirectErrorStream(true)
                .redirectOutput(directory.resolve("registry.log").toFile()).start();
        SuiteRegistry registry = new SuiteRegistry(process, port);
        for (int i = 0; i < PATIENCE && !registry.answers(); i++) {
            Thread.sleep(50);
        }
        return registry;
    }

    private boolean answers() throws InterruptedException {
        try {
            return http.send(HttpRequest.newBuilder(URI.create("http://" + host() + "/v2/")).build(), BodyHandlers.discarding())
                    .statusCode() == 200;
        } catch (IOException notYet) {
            return false;
        }
    }

    /** Host and port, as in a reference. */
    String host() {
        return "127.0.0.1:" + port;
    }

    /** The same registry by another name: to a runtime it is another one. */
    String otherHost() {
        return "localhost:" + port;
    }

    void push(String repository, SuiteImage image, String... tags) throws Exception {
        String base = "http://" + host() + "/v2/" + repository;
        for (byte[] blob : image.blobs()) {
            if (pushed.add(repository + Digest.ofBytes(blob))) {
                var started = http.send(HttpRequest.newBuilder(URI.create(base + "/blobs/uploads/"))
                        .POST(HttpRequest.BodyPublishers.noBody()).build(), BodyHandlers.discarding());
                String place = started.headers().firstValue("Location").orElseThrow();
                put(place + (place.contains("?") ? "&" : "?") + "digest=" + Digest.ofBytes(blob), "application/octet-stream", blob);
            }
        }
        for (String tag : List.of(tags)) {
            put(base + "/manifests/" + tag, SuiteImage.MANIFEST, image.manifest());
        }
    }

    private void put(String address, String type, byte[] body) throws Exception {
        var answer = http.send(HttpRequest.newBuilder(URI.create(address)).header("Content-Type", type)
                .PUT(HttpRequest.BodyPublishers.ofByteArray(body)).build(), BodyHandlers.ofString());
        assertEquals(201, answer.statusCode(), answer.body());
    }

    @Override
    public void close() throws InterruptedException {
        http.close();
        process.destroy();
        assertTrue(process.waitFor(10, TimeUnit.SECONDS), "docker-registry does not end");
    }
}
