package io.berth.image;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.berth.base.Digest;
import io.berth.base.RuntimeFault;
import io.berth.base.RuntimeFault.Kind;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.Signature;
import java.time.Duration;
import java.util.Base64;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What the operator's files about registries do, on Debian's docker-registry: credentials, mirrors, policy, names. */
@Timeout(120)
class RegistryFilesIT {

    private static final TestImage MADE = new TestImage("layer one", "layer two");

    @TempDir
    Path root;

    private final FakeUnpacker unpacker = new FakeUnpacker();
    private TestRegistry registry;
    private Images images;
    private PullOptions options;
    private Path registries;
    private Path credentials;
    private Path policy;

    @BeforeEach
    void open() throws Exception {
        assumeTrue(Files.isExecutable(TestRegistry.PROGRAM), "skipped: needs docker-registry");
        registry = TestRegistry.plain(root.resolve("registry"));
        images = new Images(root.resolve("store"), Unpackers.only(unpacker), name -> false);
        registries = root.resolve("registries.conf");
        credentials = root.resolve("auth.json");
        policy = root.resolve("policy.json");
        options = PullOptions.defaults().withDiscardUnpacked(false)
                .withBackoff(1, Duration.ofMillis(10), Duration.ofMillis(50)).withFiles(new PullOptions.Files(
                        Optional.of(root.resolve("certs")), Optional.of(registries), Optional.of(credentials), Optional.of(policy)));
    }

    @AfterEach
    void end() throws Exception {
        if (registry != null) {
            registry.close();
        }
    }

    private Image pull(String name) {
        return new PullImage(images, options).pull(ImageReference.parse(name), Optional.empty(), PullListener.NONE);
    }

    private RuntimeFault failure(String name) {
        return assertThrows(RuntimeFault.class, () -> pull(name));
    }

    @Test
    void aRegistryBehindAPasswordTakesTheCredentialsFileByHostAndPathAndHelpers() throws Exception {
        assumeTrue(Files.isExecutable(Path.of("/usr/bin/htpasswd")), "skipped: needs htpasswd (package apache2-utils)");
        Path passwords = root.resolve("htpasswd");
        Process process = new ProcessBuilder("htpasswd", "-Bbc", passwords.toString(), "user", "s3cret").start();
        assertEquals(0, process.waitFor());
        try (TestRegistry locked = new TestRegistry(root.resolve("locked"), "", "auth: {htpasswd: {realm: r, path: "
                + passwords + "}}\n", Optional.of("user:s3cret"), Optional.empty())) {
            locked.push("team/app", MADE, "v1");
            String name = locked.host() + "/team/app:v1";
            RuntimeFault none = failure(name);
            assertEquals(Kind.UNAUTHENTICATED, none.kind());
            assertTrue(none.getMessage().contains("there are no credentials for it"), none.getMessage());
            Files.writeString(credentials, auths(locked.host(), "user:wrong"));
            RuntimeFault wrong = failure(name);
            assertEquals(Kind.UNAUTHENTICATED, wrong.kind());
            assertTrue(wrong.getMessage().contains("does not accept the credentials of " + credentials)
                    && wrong.getMessage().contains("authentication required"), wrong.getMessage());
            assertFalse(wrong.getMessage().contains("wrong"), wrong.getMessage());
            // The file is read anew; the longer path wins over the host.
            Files.writeString(credentials, "{\"auths\":{" + entry(locked.host(), "user:wrong") + ","
                    + entry(locked.host() + "/team", "user:s3cret") + "}}");
            assertEquals(MADE.id(), pull(name).id());
            assertEquals(credentials + " (auths \"" + locked.host() + "/team\")", new ExplainImage(options)
                    .explain(name, Optional.empty()).getFirst().endpoints().getFirst().credentials().orElseThrow());
            Files.writeString(credentials, "{\"credHelpers\":{\"" + locked.host() + "\":\"no-such-helper\"}}");
            assertTrue(failure(name).getMessage().contains("docker-credential-no-such-helper"));
        }
    }

    @Test
    void aTokenServerOfTheTestsOwnLetsInWhomItKnows() throws Exception {
        assumeTrue(Files.isExecutable(Path.of("/usr/bin/openssl")), "skipped: needs openssl");
        Process process = new ProcessBuilder("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "token.key",
                "-out", "token.pem", "-days", "2", "-subj", "/CN=tests").directory(root.toFile())
                .redirectErrorStream(true).redirectOutput(root.resolve("openssl.log").toFile()).start();
        assertEquals(0, process.waitFor());
        try (TokenServer tokens = new TokenServer(root, "user:s3cret")) {
            registry.push("team/app", MADE, "v1");
            registry.push("other/app", MADE, "v1");
            registry.close();
            registry = new TestRegistry(root.resolve("registry"), "", tokens.settings(root), Optional.empty(), Optional.empty());
            RuntimeFault nobody = failure(registry.host() + "/team/app:v1");
            assertEquals(Kind.UNAUTHENTICATED, nobody.kind(), nobody.getMessage());
            Files.writeString(credentials, auths(registry.host(), "user:wrong"));
            RuntimeFault wrong = failure(registry.host() + "/team/app:v1");
            assertEquals(Kind.UNAUTHENTICATED, wrong.kind(), wrong.getMessage());
            assertTrue(wrong.getMessage().contains("no such user"), wrong.getMessage());
            Files.writeString(credentials, auths(registry.host(), "user:s3cret"));
            assertEquals(MADE.id(), pull(registry.host() + "/team/app:v1").id());
            assertTrue(tokens.asked.getLast().startsWith("service=tests&scope=repository:team/app:pull Basic "),
                    tokens.asked.toString());
            assertEquals(Kind.UNAUTHENTICATED, failure(registry.host() + "/other/app:v1").kind());
        }
    }

    private static String auths(String place, String login) {
        return "{\"auths\":{" + entry(place, login) + "}}";
    }

    private static String entry(String place, String login) {
        return "\"" + place + "\":{\"auth\":\"" + Base64.getEncoder().encodeToString(login.getBytes()) + "\"}";
    }

    @Test
    void registriesConfMovesMirrorsAndBlocksWithoutARestart() throws Exception {
        registry.push("hub/library/app", MADE, "v1");
        Files.writeString(registries, """
                unqualified-search-registries = ["first.invalid", "second.invalid"]
                [aliases]
                "short" = "docker.io/library/app"
                [[registry]]
                prefix = "docker.io/library"
                location = "%s/hub/library"
                [[registry]]
                prefix = "mirrored.invalid"
                location = "127.0.0.1:1"
                [[registry.mirror]]
                location = "127.0.0.1:1/dead"
                [[registry.mirror]]
                location = "%s/hub"
                insecure = true
                [[registry]]
                prefix = "*.blocked.invalid"
                blocked = true
                """.formatted(registry.host(), registry.host()));
        assertEquals(List.of("docker.io/library/app:v1"), pull("docker.io/library/app:v1").repoTags());
        assertEquals(MADE.id(), pull("mirrored.invalid/library/app:v1").id());
        RuntimeFault blocked = failure("eu.blocked.invalid/app:v1");
        assertEquals(Kind.PERMISSION_DENIED, blocked.kind());
        assertTrue(blocked.getMessage().contains("*.blocked.invalid"), blocked.getMessage());
        ShortNames names = new ShortNames(options);
        assertEquals("[docker.io/library/app:v2]", names.meanings("short:v2").toString());
        assertEquals("[first.invalid/other:latest, second.invalid/other:latest]", names.meanings("other").toString());
        assertEquals("[docker.io/x/y:latest]", names.meanings("docker.io/x/y").toString());
        var asked = new ExplainImage(options).explain("mirrored.invalid/library/app:v1", Optional.empty()).getFirst().endpoints();
        assertEquals(List.of("http://127.0.0.1:1/v2/dead/library/app", "https://" + registry.host() + "/v2/hub/library/app",
                "http://" + registry.host() + "/v2/hub/library/app", "http://127.0.0.1:1/v2/library/app"),
                asked.stream().map(ExplainImage.Asked::address).toList());
        assertTrue(asked.getFirst().reason().contains("mirror of \"mirrored.invalid\" in " + registries));
        Files.writeString(registries, "[[registry]]\nprefix = \"docker.io\"\nblocked = true\n");
        assertEquals(Kind.PERMISSION_DENIED, failure("docker.io/library/app:v1").kind());
        Files.writeString(registries, "[[registry]]\nprefix = \"docker.io\"\nblokked = true\n");
        assertTrue(failure("docker.io/library/app:v1").getMessage().contains("registry.blokked: unknown key"));
    }

    @Test
    void thePolicyAcceptsRejectsAndWantsSignaturesAndFailsClosed() throws Exception {
        registry.push("signed/app", MADE, "v1");
        String name = registry.host() + "/signed/app:v1";
        KeyPair pair = keys();
        Path key = root.resolve("cosign.pub");
        Files.writeString(key, "-----BEGIN PUBLIC KEY-----\n" + Base64.getMimeEncoder().encodeToString(pair.getPublic().getEncoded())
                + "\n-----END PUBLIC KEY-----\n");
        Files.writeString(policy, "{\"default\":[{\"type\":\"reject\"}],\"transports\":{\"docker\":{\"" + registry.host()
                + "/signed\":[{\"type\":\"sigstoreSigned\",\"keyPath\":\"" + key + "\"}]}}}");
        RuntimeFault unsigned = failure(name);
        assertEquals(Kind.PERMISSION_DENIED, unsigned.kind(), unsigned.getMessage());
        assertTrue(unsigned.getMessage().contains("there is no signature for " + MADE.indexDigest()), unsigned.getMessage());
        sign(keys(), MADE.indexDigest(), registry.host() + "/signed/app");
        assertTrue(failure(name).getMessage().contains("by none of the keys"));
        sign(pair, Digest.ofBytes(new byte[1]), registry.host() + "/signed/app");
        assertTrue(failure(name).getMessage().contains("a signature is for sha256:"));
        sign(pair, MADE.indexDigest(), registry.host() + "/other/app");
        assertTrue(failure(name).getMessage().contains("of the name"));
        assertTrue(images.list().isEmpty());
        assertFalse(images.content().has(MADE.layers.getFirst()), "a refused image's layers are not fetched");
        sign(pair, MADE.indexDigest(), registry.host() + "/signed/app");
        assertEquals(MADE.id(), pull(name).id());
        registry.push("else/app", MADE, "v1");
        assertTrue(failure(registry.host() + "/else/app:v1").getMessage().contains("rejects"));
        for (String bad : List.of("{", "{}", "{\"default\":[]}", "{\"default\":[{\"type\":\"signedBy\"}]}",
                "{\"default\":[{\"type\":\"sigstoreSigned\",\"keyPath\":\"/absent\"}]}",
                "{\"default\":[{\"type\":\"sigstoreSigned\",\"keyPath\":\"" + key + "\",\"rekorPublicKeyPath\":\"/x\"}]}")) {
            Files.writeString(policy, bad);
            RuntimeFault fault = failure(name);
            assertTrue(fault.kind() == Kind.FAILED_PRECONDITION || fault.kind() == Kind.PERMISSION_DENIED, fault.getMessage());
        }
    }

    private static KeyPair keys() throws Exception {
        KeyPairGenerator generator = KeyPairGenerator.getInstance("EC");
        generator.initialize(256);
        return generator.generateKeyPair();
    }

    // As cosign does: a text that names the digest, in an image whose tag is the digest of the signed one.
    private void sign(KeyPair pair, Digest names, String reference) throws Exception {
        byte[] payload = TestImage.bytes("{\"critical\":{\"identity\":{\"docker-reference\":\"" + reference
                + "\"},\"image\":{\"docker-manifest-digest\":\"" + names + "\"},\"type\":\"cosign container image signature\"},"
                + "\"optional\":null}");
        Signature signature = Signature.getInstance("SHA256withECDSA");
        signature.initSign(pair.getPrivate());
        signature.update(payload);
        byte[] config = TestImage.bytes("{\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[]},\"n\":\"" + names + reference + "\"}");
        String layer = TestImage.descriptor(CheckTrust.PAYLOAD_TYPE, payload).replaceFirst("}$", ",\"annotations\":{\""
                + CheckTrust.SIGNATURE + "\":\"" + Base64.getEncoder().encodeToString(signature.sign()) + "\"}}");
        registry.pushBlob("signed/app", payload);
        registry.pushBlob("signed/app", config);
        registry.pushManifest("signed/app", "sha256-" + MADE.indexDigest().hex() + ".sig", MediaTypes.OCI_MANIFEST,
                TestImage.bytes("{\"schemaVersion\":2,\"mediaType\":\"" + MediaTypes.OCI_MANIFEST + "\",\"config\":"
                        + TestImage.descriptor(MediaTypes.OCI_CONFIG, config) + ",\"layers\":[" + layer + "]}"));
    }

    @Test
    void anArtifactBecomesOneLayerOfItsFiles() throws Exception {
        byte[] empty = TestImage.bytes("{}");
        byte[] model = TestImage.bytes("weights");
        byte[] other = TestImage.bytes("other");
        registry.pushBlob("models/m", empty);
        registry.pushBlob("models/m", model);
        registry.pushBlob("models/m", other);
        String titled = TestImage.descriptor("application/x-model", model)
                .replaceFirst("}$", ",\"annotations\":{\"" + ArtifactTar.TITLE + "\":\"dir/model.bin\"}}");
        registry.pushManifest("models/m", "v1", MediaTypes.OCI_MANIFEST, TestImage.bytes("{\"schemaVersion\":2,\"mediaType\":\""
                + MediaTypes.OCI_MANIFEST + "\",\"artifactType\":\"application/x-thing\",\"config\":"
                + TestImage.descriptor("application/vnd.oci.empty.v1+json", empty) + ",\"layers\":[" + titled + ","
                + TestImage.descriptor("application/x-other", other) + "]}"));
        Image image = pull(registry.host() + "/models/m:v1");
        assertEquals(1, image.chainIds().size());
        assertTrue(unpacker.has(image.chainIds().getFirst()));
        assertEquals("application/x-thing", image.config().labels().get("io.berth.artifact.type"));
        try (var tar = new org.apache.commons.compress.archivers.tar.TarArchiveInputStream(new ArtifactTar(images.content(),
                (Manifest.OfArtifact) Manifest.parse("m", images.content().read(image.manifest(), 9999), "")).open())) {
            assertEquals("dir/model.bin", tar.getNextEntry().getName());
            assertEquals("weights", new String(tar.readAllBytes()));
            assertEquals(Digest.ofBytes(other).hex(), tar.getNextEntry().getName());
        }
        assertEquals(image.id(), pull(registry.host() + "/models/m:v1").id());
    }

    @Test
    void aLargeLayerComesInPiecesAndGoesOnAfterARestart() throws Exception {
        byte[] noise = new byte[40 << 20];
        new Random(3).nextBytes(noise);
        String text = new String(noise, java.nio.charset.StandardCharsets.ISO_8859_1);
        TestImage large = new TestImage(text);
        registry.push("large", large, "v1");
        Digest layer = large.layers.getFirst();
        byte[] blob = large.blobs.get(layer);
        assertTrue(blob.length > 32 << 20);
        // What a killed Berth leaves: pieces behind a hole, and the mark of how much is whole.
        try (Ingest begun = images.content().ingest(layer, blob.length)) {
            begun.writeAt(0, blob, 0, 1 << 20);
            begun.arrived(0, 1 << 20);
            begun.writeAt(8 << 20, blob, 8 << 20, 4 << 20);
            Path partial = root.resolve("store/content/ingest/sha256-" + layer.hex());
            Files.copy(partial, root.resolve("partial"));
            Files.copy(partial.resolveSibling(partial.getFileName() + ".whole"), root.resolve("whole"));
        }
        Path partial = root.resolve("store/content/ingest/sha256-" + layer.hex());
        Files.move(root.resolve("partial"), partial, java.nio.file.StandardCopyOption.REPLACE_EXISTING);
        Files.move(root.resolve("whole"), partial.resolveSibling(partial.getFileName() + ".whole"));
        long[] first = {-1};
        Image image = new PullImage(images, options).pull(ImageReference.parse(registry.host() + "/large:v1"),
                Optional.empty(), new PullListener() {
                    @Override
                    public synchronized void progress(Digest digest, long done, long total) {
                        first[0] = first[0] < 0 && digest.equals(layer) ? done : first[0];
                    }
                });
        assertEquals(large.id(), image.id());
        assertTrue(images.content().isSound(layer));
        assertTrue(first[0] > 1 << 20 && first[0] < 8 << 20, "it went on at " + first[0]);
        try (var files = Files.list(root.resolve("store/content/ingest"))) {
            assertEquals(List.of(), files.toList());
        }
    }
}
