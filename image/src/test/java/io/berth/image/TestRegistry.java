package io.berth.image;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.SSLContext;

/** Debian's docker-registry on a loopback port, with what its configuration is given; ended by its owner. */
final class TestRegistry implements AutoCloseable {

    static final Path PROGRAM = Path.of("/usr/bin/docker-registry");

    final int port;
    final Path data;
    private final Path log;
    private final Process process;
    private final HttpClient http;
    private final String scheme;
    private final Optional<String> authorization;

    /** @param login {@code user:password} to push with; empty for none */
    TestRegistry(Path directory, String httpSettings, String settings, Optional<String> login, Optional<SSLContext> tls)
            throws Exception {
        this(directory, freePort(), httpSettings, settings, login, tls);
    }

    /** As above, on a port that an earlier one has had. */
    TestRegistry(Path directory, int port, String httpSettings, String settings, Optional<String> login,
            Optional<SSLContext> tls) throws Exception {
        this.port = port;
        this.data = directory.resolve("data");
        Files.createDirectories(directory);
        this.log = directory.resolve("log");
        Path config = directory.resolve("config.yml");
        Files.writeString(config, "version: 0.1\nlog: {level: error}\nstorage: {filesystem: {rootdirectory: " + data
                + "}, cache: {}}\nhttp:\n  addr: \"127.0.0.1:" + port + "\"\n" + httpSettings + settings);
        this.process = new ProcessBuilder(PROGRAM.toString(), "serve", config.toString()).redirectErrorStream(true)
                .redirectOutput(log.toFile()).start();
        HttpClient.Builder builder = HttpClient.newBuilder();
        tls.ifPresent(builder::sslContext);
        this.http = builder.build();
        this.scheme = tls.isPresent() ? "https" : "http";
        this.authorization = login.map(l -> "Basic " + Base64.getEncoder().encodeToString(l.getBytes()));
        for (int i = 0; i < 100 && !answers(); i++) {
            Thread.sleep(100);
        }
    }

    static TestRegistry plain(Path directory) throws Exception {
        return new TestRegistry(directory, "", "", Optional.empty(), Optional.empty());
    }

    static int freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0)) {
            return socket.getLocalPort();
        }
    }

    /** Its own log, with a line for each request. */
    Path log() {
        return log;
    }

    String host() {
        return "127.0.0.1:" + port;
    }

    private boolean answers() throws InterruptedException {
        try {
            return http.send(request("/v2/").build(), HttpResponse.BodyHandlers.discarding()).statusCode() < 500;
        } catch (IOException e) {
            return false;
        }
    }

    private HttpRequest.Builder request(String path) {
        HttpRequest.Builder request = HttpRequest.newBuilder(
                path.startsWith("http") ? URI.create(path) : URI.create(scheme + "://" + host() + path));
        authorization.ifPresent(value -> request.header("Authorization", value));
        return request;
    }

    void push(String repository, TestImage image, String tag) throws Exception {
        for (byte[] blob : image.blobs.values()) {
            pushBlob(repository, blob);
        }
        pushManifest(repository, image.manifestDigest().toString(), MediaTypes.OCI_MANIFEST, image.manifest);
        pushManifest(repository, tag, MediaTypes.OCI_INDEX, image.index);
    }

    void pushBlob(String repository, byte[] blob) throws Exception {
        var started = http.send(request("/v2/" + repository + "/blobs/uploads/").POST(HttpRequest.BodyPublishers.noBody())
                .build(), HttpResponse.BodyHandlers.discarding());
        String place = started.headers().firstValue("Location").orElseThrow();
        put(place + (place.contains("?") ? "&" : "?") + "digest=" + io.berth.base.Digest.ofBytes(blob),
                "application/octet-stream", blob);
    }

    void pushManifest(String repository, String tag, String type, byte[] json) throws Exception {
        put("/v2/" + repository + "/manifests/" + tag, type, json);
    }

    private void put(String address, String type, byte[] body) throws Exception {
        var answer = http.send(request(address).header("Content-Type", type)
                .PUT(HttpRequest.BodyPublishers.ofByteArray(body)).build(), HttpResponse.BodyHandlers.ofString());
        assertEquals(201, answer.statusCode(), answer.body());
    }

    @Override
    public void close() throws Exception {
        process.destroy();
        assertTrue(process.waitFor(10, TimeUnit.SECONDS));
    }
}
