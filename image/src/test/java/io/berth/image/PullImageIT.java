package io.berth.image;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.berth.base.Digest;
import io.berth.base.RuntimeFault;
import io.berth.base.RuntimeFault.Kind;
import java.io.IOException;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Pulls from a real registry (Debian's docker-registry) on loopback, and has skopeo read the store. */
class PullImageIT {

    private static final Path REGISTRY = Path.of("/usr/bin/docker-registry");
    private static final Path SKOPEO = Path.of("/usr/bin/skopeo");

    @TempDir
    static Path shared;

    @TempDir
    Path root;

    private static Process registry;
    private static int port;
    private static final HttpClient HTTP = HttpClient.newHttpClient();
    private static final TestImage MADE = new TestImage("layer one", "layer two ".repeat(10_000), "layer three");

    private final FakeUnpacker unpacker = new FakeUnpacker();
    private Images images;
    private PullOptions options;

    @BeforeAll
    static void startRegistry() throws Exception {
        assumeTrue(Files.isExecutable(REGISTRY), "skipped: needs docker-registry");
        port = freePort();
        Path config = shared.resolve("config.yml");
        Files.writeString(config, """
                version: 0.1
                log: {level: error}
                storage: {filesystem: {rootdirectory: %s}, cache: {}}
                http: {addr: "127.0.0.1:%d"}
                """.formatted(shared.resolve("data"), port));
        registry = new ProcessBuilder(REGISTRY.toString(), "serve", config.toString()).redirectErrorStream(true)
                .redirectOutput(shared.resolve("log").toFile()).start();
        for (int i = 0; i < 100 && !answers(); i++) {
            Thread.sleep(100);
        }
        push("test/app", MADE, "v1");
    }

    @AfterAll
    static void stopRegistry() throws Exception {
        if (registry != null) {
            registry.destroy();
            assertTrue(registry.waitFor(10, TimeUnit.SECONDS));
        }
    }

    private static boolean answers() throws InterruptedException {
        try {
            return HTTP.send(HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + "/v2/")).build(),
                    HttpResponse.BodyHandlers.discarding()).statusCode() == 200;
        } catch (IOException e) {
            return false;
        }
    }

    private static int freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0)) {
            return socket.getLocalPort();
        }
    }

    private static void push(String repository, TestImage image, String tag) throws Exception {
        String base = "http://127.0.0.1:" + port + "/v2/" + repository;
        for (var blob : image.blobs.entrySet()) {
            var started = HTTP.send(HttpRequest.newBuilder(URI.create(base + "/blobs/uploads/"))
                    .POST(HttpRequest.BodyPublishers.noBody()).build(), HttpResponse.BodyHandlers.discarding());
            String place = started.headers().firstValue("Location").orElseThrow();
            put(place + (place.contains("?") ? "&" : "?") + "digest=" + blob.getKey(), "application/octet-stream", blob.getValue());
        }
        put(base + "/manifests/" + image.manifestDigest(), MediaTypes.OCI_MANIFEST, image.manifest);
        put(base + "/manifests/" + tag, MediaTypes.OCI_INDEX, image.index);
    }

    private static void put(String address, String type, byte[] body) throws Exception {
        var answer = HTTP.send(HttpRequest.newBuilder(URI.create(address)).header("Content-Type", type)
                .PUT(HttpRequest.BodyPublishers.ofByteArray(body)).build(), HttpResponse.BodyHandlers.ofString());
        assertEquals(201, answer.statusCode(), answer.body());
    }

    @BeforeEach
    void open() {
        images = new Images(root, Unpackers.only(unpacker), name -> false);
        options = PullOptions.defaults().withDiscardUnpacked(false).withBackoff(2, Duration.ofMillis(10), Duration.ofMillis(50));
    }

    private Image pull(String name) {
        return new PullImage(images, options).pull(ImageReference.parse(name), Optional.empty(), PullListener.NONE);
    }

    private RuntimeFault failure(String name) throws IOException {
        RuntimeFault fault = assertThrows(RuntimeFault.class, () -> pull(name));
        assertNothingInIngest();
        return fault;
    }

    private void assertNothingInIngest() throws IOException {
        try (var files = Files.list(root.resolve("content/ingest"))) {
            assertEquals(List.of(), files.toList());
        }
    }

    private static String local(String rest) {
        return "127.0.0.1:" + port + "/" + rest;
    }

    @Test
    void anImageIsPulledByTagAndByDigest() throws Exception {
        Image image = pull(local("test/app:v1"));
        assertEquals(MADE.id(), image.id());
        assertEquals(List.of(local("test/app:v1")), image.repoTags());
        assertEquals(List.of(local("test/app@" + MADE.indexDigest())), image.repoDigests());
        assertTrue(unpacker.chains().containsAll(image.chainIds()));
        assertEquals(List.of("/bin/true"), image.config().cmd());
        Image again = pull(local("test/app@" + MADE.manifestDigest()));
        assertEquals(image.id(), again.id());
        assertEquals(2, again.repoDigests().size());
        assertEquals(again, images.find(local("test/app:v1")).orElseThrow());
        assertNothingInIngest();
    }

    @Test
    void skopeoReadsTheStore() throws Exception {
        assumeTrue(Files.isExecutable(SKOPEO), "skipped: needs skopeo");
        pull(local("test/app:v1"));
        Process skopeo = new ProcessBuilder(SKOPEO.toString(), "inspect", "--raw",
                "oci:" + root.resolve("content") + ":" + local("test/app:v1")).redirectErrorStream(true).start();
        String out = new String(skopeo.getInputStream().readAllBytes());
        assertEquals(0, skopeo.waitFor(), out);
        assertEquals(new String(MADE.manifest), out.strip());
    }

    @Test
    void aMirrorServesAnotherRegistrysImages() throws Exception {
        Path certs = Files.createDirectories(root.resolve("certs/registry.invalid"));
        Files.writeString(certs.resolve("hosts.toml"), """
                server = "http://127.0.0.1:1"
                [host."http://127.0.0.1:1"]
                [host."http://%s"]
                """.formatted("127.0.0.1:" + port));
        options = options.withCertsDirectory(root.resolve("certs"));
        Image image = pull("registry.invalid/test/app:v1");
        assertEquals(List.of("registry.invalid/test/app:v1"), image.repoTags());
        RuntimeFault fault = failure("registry.invalid/test/app:absent");
        assertEquals(Kind.UNAVAILABLE, fault.kind());
        assertTrue(fault.getMessage().contains("not found at") && fault.getMessage().contains("cannot reach"), fault.getMessage());
    }

    @Test
    void aDamagedBlobIsDataLossThatNamesBothDigests() throws Exception {
        TestImage damaged = new TestImage("damaged one", "damaged two");
        push("test/damaged", damaged, "v1");
        Digest layer = damaged.layers.getLast();
        Path file = shared.resolve("data/docker/registry/v2/blobs/sha256").resolve(layer.hex().substring(0, 2))
                .resolve(layer.hex()).resolve("data");
        byte[] bytes = Files.readAllBytes(file);
        bytes[bytes.length - 1] ^= 1;
        Files.write(file, bytes);
        RuntimeFault fault = assertThrows(RuntimeFault.class, () -> pull(local("test/damaged:v1")));
        assertFalse(Files.exists(root.resolve("content/ingest/sha256-" + layer.hex())));
        assertEquals(Kind.DATA_LOSS, fault.kind(), fault.getMessage());
        assertTrue(fault.getMessage().contains(layer.toString()));
        assertTrue(fault.getMessage().contains(Digest.ofBytes(bytes).toString()));
        assertFalse(images.content().has(layer));
        assertTrue(images.list().isEmpty());
    }

    @Test
    void whatCannotBePulledSaysWhy() throws Exception {
        RuntimeFault unknown = failure(local("test/absent:v1"));
        assertEquals(Kind.NOT_FOUND, unknown.kind());
        assertTrue(unknown.getMessage().contains(local("test/absent:v1")), unknown.getMessage());
        int closed = freePort();
        RuntimeFault unreachable = failure("127.0.0.1:" + closed + "/test/app:v1");
        assertEquals(Kind.UNAVAILABLE, unreachable.kind());
        assertTrue(unreachable.getMessage().contains("127.0.0.1:" + closed), unreachable.getMessage());
        RuntimeFault unresolved = failure("no-such-host.invalid/test/app:v1");
        assertEquals(Kind.UNAVAILABLE, unresolved.kind());
        assertTrue(unresolved.getMessage().contains("no-such-host.invalid"), unresolved.getMessage());
    }

    @Test
    void aRottenBlobOfTheStoreIsFetchedAgain() throws Exception {
        Image image = pull(local("test/app:v1"));
        Files.writeString(images.content().path(image.layers().get(1)), "rotten");
        Files.writeString(images.content().path(image.manifest()), "rotten");
        unpacker.parents.clear();
        assertEquals(image.id(), pull(local("test/app:v1")).id());
        assertTrue(unpacker.chains().containsAll(image.chainIds()));
    }
}
