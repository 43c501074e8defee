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
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Debian's docker-registry by TLS, which Go answers with HTTP/2, under an authority that only hosts.toml knows. */
@Timeout(180)
class RegistryTlsIT {

    @TempDir
    Path root;

    private final FakeUnpacker unpacker = new FakeUnpacker();
    private Images images;
    private TestImage made;

    @BeforeEach
    void certificates() throws Exception {
        assumeTrue(Files.isExecutable(TestRegistry.PROGRAM), "skipped: needs docker-registry");
        assumeTrue(Files.isExecutable(Path.of("/usr/bin/openssl")), "skipped: needs openssl");
        openssl("req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.pem -days 2 -subj /CN=authority");
        signed("server", "subjectAltName=IP:127.0.0.1");
        signed("client", "extendedKeyUsage=clientAuth");
        images = new Images(root.resolve("store"), Unpackers.only(unpacker), name -> false);
        byte[] noise = new byte[40 << 20];
        new Random(5).nextBytes(noise);
        made = new TestImage("small", new String(noise, StandardCharsets.ISO_8859_1));
        try (TestRegistry plain = TestRegistry.plain(root.resolve("registry"))) {
            plain.push("team/app", made, "v1");
        }
    }

    private void openssl(String arguments) throws Exception {
        Process process = new ProcessBuilder(("openssl " + arguments).split(" ")).directory(root.toFile())
                .redirectErrorStream(true).start();
        String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(0, process.waitFor(), out);
    }

    private void signed(String name, String extension) throws Exception {
        Files.writeString(root.resolve(name + ".ext"), extension + "\n");
        openssl("req -new -newkey rsa:2048 -nodes -keyout " + name + ".key -out " + name + ".csr -subj /CN=" + name);
        openssl("x509 -req -in " + name + ".csr -CA ca.pem -CAkey ca.key -CAcreateserial -out " + name
                + ".pem -days 2 -extfile " + name + ".ext");
    }

    private Endpoint.Tls tls() {
        return new Endpoint.Tls(List.of(root.resolve("ca.pem")),
                List.of(new Endpoint.ClientPair(root.resolve("client.pem"), root.resolve("client.key"))), false);
    }

    private TestRegistry serve(int port, String more) throws Exception {
        return new TestRegistry(root.resolve("registry"), port, "  tls:\n    certificate: " + root.resolve("server.pem") + "\n    key: "
                + root.resolve("server.key") + "\n" + more, "", Optional.empty(), Optional.of(TlsContexts.make(tls())));
    }

    private PullOptions options(String host, String settings) throws IOException {
        Path folder = Files.createDirectories(root.resolve("certs").resolve(host));
        Files.writeString(folder.resolve("hosts.toml"), "server = \"https://" + host + "\"\n" + settings);
        return PullOptions.defaults().withDiscardUnpacked(false).withCertsDirectory(root.resolve("certs"))
                .withBackoff(3, Duration.ofMillis(20), Duration.ofMillis(100));
    }

    private static final String AUTHORITY = "ca = \"../../ca.pem\"\n";

    private static ImageReference name(TestRegistry registry) {
        return ImageReference.parse(registry.host() + "/team/app:v1");
    }

    private static List<String> asked(TestRegistry registry, String what) throws IOException {
        return Files.readAllLines(registry.log()).stream().filter(line -> line.contains("\"GET /v2/team/app/" + what)).toList();
    }

    @Test
    void whatIsSmallComesByHttp2AndLargeBlobsOnConnectionsOfTheirOwn() throws Exception {
        try (TestRegistry registry = serve(TestRegistry.freePort(), "")) {
            Image image = new PullImage(images, options(registry.host(), AUTHORITY)).pull(name(registry), Optional.empty(),
                    PullListener.NONE);
            assertEquals(made.id(), image.id());
            assertTrue(images.content().isSound(made.layers.getLast()));
            List<String> manifests = asked(registry, "manifests/");
            assertTrue(manifests.size() >= 2 && manifests.stream().allMatch(line -> line.contains(" HTTP/2.0\" 200")),
                    manifests.toString());
            assertTrue(asked(registry, "blobs/" + made.layers.getFirst()).getFirst().contains(" HTTP/2.0\" 200"));
            List<String> pieces = asked(registry, "blobs/" + made.layers.getLast());
            assertTrue(pieces.size() >= 4 && pieces.stream().allMatch(line -> line.contains(" HTTP/1.1\" 206")),
                    pieces.toString());
        }
    }

    @Test
    void aRegistryThatWantsACertificateGetsTheOneOfHostsToml() throws Exception {
        try (TestRegistry registry = serve(TestRegistry.freePort(), "    clientcas:\n      - " + root.resolve("ca.pem") + "\n")) {
            RuntimeFault unknown = assertThrows(RuntimeFault.class, () -> new PullImage(images, options(registry.host(), ""))
                    .pull(name(registry), Optional.empty(), PullListener.NONE));
            assertTrue(unknown.getMessage().contains("TLS with " + registry.host()), unknown.getMessage());
            PullOptions bare = options(registry.host(), AUTHORITY);
            RuntimeFault refused = assertThrows(RuntimeFault.class, () -> new PullImage(images, bare)
                    .pull(name(registry), Optional.empty(), PullListener.NONE));
            assertEquals(Kind.UNAVAILABLE, refused.kind(), refused.getMessage());
            PullOptions shown = options(registry.host(), AUTHORITY + "client = [[\"../../client.pem\", \"../../client.key\"]]\n");
            assertEquals(made.id(), new PullImage(images, shown).pull(name(registry), Optional.empty(), PullListener.NONE).id());
        }
    }

    @Test
    void aConnectionThatTheRegistryEndedIsMadeAnew() throws Exception {
        int port = TestRegistry.freePort();
        PullImage pull;
        try (TestRegistry registry = serve(port, "")) {
            pull = new PullImage(images, options(registry.host(), AUTHORITY));
            pull.pull(name(registry), Optional.empty(), PullListener.NONE);
        }
        // Go says goodbye (GOAWAY) on its open connections when it ends; the client still has them.
        try (TestRegistry again = serve(port, "")) {
            images.content().discard(made.layers.getFirst());
            images.content().discard(made.manifestDigest());
            unpacker.parents.clear();
            assertEquals(made.id(), pull.pull(name(again), Optional.empty(), PullListener.NONE).id());
            assertFalse(asked(again, "manifests/").isEmpty());
        }
    }

    @Test
    void anInterruptedPullEndsAndTheNextOneGoesOn() throws Exception {
        try (TestRegistry registry = serve(TestRegistry.freePort(), "")) {
            PullImage pull = new PullImage(images, options(registry.host(), AUTHORITY));
            CountDownLatch moving = new CountDownLatch(1);
            CompletableFuture<Kind> ended = new CompletableFuture<>();
            Thread pulling = Thread.startVirtualThread(() -> {
                try {
                    pull.pull(name(registry), Optional.empty(), new PullListener() {
                        @Override
                        public void progress(Digest blob, long done, long total) {
                            if (total > 1 << 20 && done > 1 << 20) {
                                moving.countDown();
                                pause();
                            }
                        }
                    });
                    ended.complete(Kind.INTERNAL);
                } catch (RuntimeFault fault) {
                    ended.complete(fault.kind());
                }
            });
            assertTrue(moving.await(60, TimeUnit.SECONDS));
            pulling.interrupt();
            assertEquals(Kind.CANCELLED, ended.get(30, TimeUnit.SECONDS));
            assertEquals(made.id(), pull.pull(name(registry), Optional.empty(), PullListener.NONE).id());
        }
    }

    private static void pause() {
        try {
            Thread.sleep(100);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
