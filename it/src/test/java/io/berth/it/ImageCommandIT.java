package io.berth.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.berth.base.Digest;
import io.berth.cli.scratch.PodClient;
import io.berth.cri.v1.ImageSpec;
import io.berth.cri.v1.Mount;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** {@code berth image …} as a person types it, with archives and layouts that skopeo and umoci wrote. */
@Timeout(180)
class ImageCommandIT {

    private static final String HELPER = "berth-test";

    private final Path directory = FreshDirectory.named("berth-images");

    @RegisterExtension
    private final TestDaemon daemon = TestDaemon.with("""
            [images.registry]
            config_path = "%1$s/certs.d"
            credentials_file = "%1$s/auth.json"
            """.formatted(directory), java.util.Map.of("PATH", directory + "/bin:" + System.getenv("PATH")));

    private final BerthCommand berth = new BerthCommand(daemon);

    // Not a @TempDir: the daemon's configuration names it, and is written before those are made.
    @AfterEach
    void remove() throws IOException {
        try (Stream<Path> all = Files.walk(directory)) {
            for (Path path : (Iterable<Path>) all.sorted(Comparator.reverseOrder())::iterator) {
                Files.delete(path);
            }
        }
    }

    private String shell(String script, Object... arguments) throws Exception {
        var command = new java.util.ArrayList<>(List.of("/bin/bash", "-ec", script, "test"));
        Stream.of(arguments).map(Object::toString).forEach(command::add);
        Process process = new ProcessBuilder(command).directory(directory.toFile()).redirectErrorStream(true).start();
        String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertTrue(process.waitFor(60, TimeUnit.SECONDS));
        assertEquals(0, process.exitValue(), out);
        return out;
    }

    private String out(int code, String... arguments) throws Exception {
        BerthCommand.Result result = berth.run(arguments);
        assertEquals(code, result.code(), result.out() + result.err());
        return result.out();
    }

    private LocalRegistry locked() throws Exception {
        shell("""
                openssl req -x509 -newkey rsa:2048 -nodes -keyout registry.key -out registry.pem -days 2 -subj /CN=registry \
                    -addext subjectAltName=IP:127.0.0.1
                htpasswd -Bbc passwords user s3cret
                """);
        return LocalRegistry.start(directory.resolve("registry"), "tls: {certificate: %1$s/registry.pem, key: %1$s/registry.key}"
                .formatted(directory), "auth: {htpasswd: {realm: r, path: " + directory + "/passwords}}");
    }

    @Test
    void aPrivateRegistryIsExplainedAndPulledFromByACredentialHelper() throws Exception {
        try (LocalRegistry registry = locked()) {
            String name = registry.push("app", "--dest-creds", "user:s3cret");
            String host = registry.host();
            shell("mkdir -p bin certs.d/$1; cp registry.pem certs.d/$1/ca.pem", host);
            Files.writeString(directory.resolve("certs.d/" + host + "/hosts.toml"),
                    "server = \"https://" + host + "\"\nca = \"ca.pem\"\n");
            Files.writeString(directory.resolve("bin/docker-credential-" + HELPER), """
                    #!/bin/sh
                    [ "$1" = get ] || exit 2
                    read server
                    echo "$server" >> "%s/asked"
                    [ "$server" = "%s" ] || { echo "credentials not found in native keychain"; exit 1; }
                    echo '{"ServerURL":"'"$server"'","Username":"user","Secret":"s3cret"}'
                    """.formatted(directory, host));
            shell("chmod 755 bin/*");
            BerthCommand.Result refused = berth.run("pull", name);
            assertTrue(refused.code() != 0 && refused.err().contains("there are no credentials for it"), refused.err());
            Files.writeString(directory.resolve("auth.json"), "{\"credHelpers\":{\"" + host + "\":\"" + HELPER + "\"}}");

            String explained = out(0, "image", "explain", name);
            assertTrue(explained.lines().findFirst().orElseThrow().equals(name), explained);
            assertTrue(explained.contains("1. https://" + host + "/v2/app") && explained.contains("trust: "), explained);
            assertTrue(explained.contains("credentials: docker-credential-" + HELPER + " (named in " + directory + "/auth.json)"),
                    explained);
            assertTrue(explained.contains("hosts.toml"), explained);
            assertFalse(explained.contains("s3cret"), explained);

            out(0, "pull", name);
            assertTrue(out(0, "images").contains(host + "/app"));
            assertTrue(Files.readAllLines(directory.resolve("asked")).stream().allMatch(host::equals));
            damageAndRepair(name);
        }
    }

    private void damageAndRepair(String name) throws Exception {
        assertTrue(out(0, "image", "verify").startsWith("whole "), "of an image that was pulled just now");
        Path blobs = daemon.node().root().resolve("content/blobs/sha256");
        try (Stream<Path> small = Files.list(blobs)) {
            for (Path blob : small.filter(blob -> blob.toFile().length() < 100_000).toList()) {
                Files.writeString(blob, "rotten");
            }
        }
        String damaged = out(1, "image", "verify", name);
        assertTrue(damaged.startsWith("damaged ") && damaged.contains(name) && damaged.contains("configuration sha256:")
                && damaged.contains("pull the image again"),
                damaged);
        String repaired = out(0, "image", "verify", "--repair", name);
        assertTrue(repaired.contains("pulled again, all is well"), repaired);
        assertTrue(out(0, "image", "verify", name).startsWith("whole "), "after the repair");
    }

    @Test
    void aPullAtATerminalShowsABarForEachLayer() throws Exception {
        try (LocalRegistry registry = LocalRegistry.start(directory.resolve("registry"))) {
            String base = registry.push("base");
            String name = base.replace("/base:", "/large:");
            shell("""
                    mkdir big; head -c 40M /dev/urandom > big/noise
                    skopeo --insecure-policy copy --src-tls-verify=false docker://$1 oci:large:x
                    umoci insert --image large:x big /big
                    skopeo --insecure-policy copy --dest-tls-verify=false oci:large:x docker://$2
                    """, base, name);
            try (BerthCommand.Session session = berth.atTerminal(24, 120, "pull", name)) {
                session.await("[===");
                session.await("B of 4");
                // What the image is called now is the last line, for programs.
                session.await("\nsha256:");
                assertEquals(0, session.exitCode(), session.seen().toString());
            }
        }
    }

    @Test
    void whatSkopeoAndUmociWroteIsImportedExportedAndPruned() throws Exception {
        io.berth.cli.scratch.BusyboxImage.write(directory.resolve("made"), "a page\n");
        shell("""
                skopeo --insecure-policy copy oci:made docker-archive:saved.tar:example.test/saved:1
                umoci init --layout umoci; umoci new --image umoci:empty
                mkdir etc; echo one > etc/issue
                umoci insert --image umoci:empty etc /etc; umoci config --image umoci:empty --config.cmd true
                skopeo --insecure-policy copy oci:umoci:empty oci-archive:archived.tar
                """);
        String saved = out(0, "image", "import", directory.resolve("saved.tar").toString());
        assertTrue(saved.contains("example.test/saved:1"), saved);
        String archived = out(0, "image", "import", "--name", "example.test/archived:1", directory.resolve("archived.tar").toString());
        String layout = out(0, "image", "import", "--name", "example.test/layout:1", directory.resolve("umoci").toString());
        assertEquals(archived.split(" ")[0], layout.split(" ")[0], "the same image in two forms");

        assertEquals("a page\n", berth.run("run", "--rm", "example.test/saved:1", "cat", "/www/index.html").out());
        String written = out(0, "image", "export", "example.test/saved:1", directory.resolve("exported.tar").toString());
        assertTrue(written.matches("(?s).*exported.tar [0-9]+ bytes\n"), written);
        // The digest of the configuration is the image's id, whoever says it.
        String id = saved.split(" ")[0];
        for (String form : List.of("docker-archive", "oci-archive")) {
            assertTrue(shell("skopeo --insecure-policy inspect --raw --config $1:exported.tar | sha256sum", form)
                    .startsWith(id.replace("sha256:", "")) || shell("skopeo inspect --raw $1:exported.tar", form).contains(id), form);
        }

        // The tag goes to another image: the one that had it is left without.
        out(0, "image", "import", "--name", "example.test/saved:1", directory.resolve("archived.tar").toString());
        String would = out(0, "image", "prune", "--dry-run");
        assertTrue(would.startsWith("would remove " + id) && would.lines().count() == 1, would);
        assertTrue(out(0, "image", "prune").startsWith("removed " + id));
        assertEquals("", out(0, "image", "prune"));
        assertTrue(out(0, "images").contains("example.test/saved"));
        out(0, "image", "remove", "example.test/saved:1");
        assertFalse(out(0, "images").contains("example.test"), "one image had all the names that were left");
    }

    @Test
    void anArtifactIsImportedAndMountedAsAVolume() throws Exception {
        TestImages.busybox(daemon);
        Path layout = Files.createDirectories(directory.resolve("artifact"));
        Files.createDirectories(layout.resolve("blobs/sha256"));
        String manifest = "{\"schemaVersion\":2,\"mediaType\":\"application/vnd.oci.image.manifest.v1+json\","
                + "\"artifactType\":\"application/x-model\",\"config\":" + blob(layout, "application/vnd.oci.empty.v1+json", "{}", "")
                + ",\"layers\":[" + blob(layout, "application/x-weights", "some weights\n", "small/weights.bin") + "]}";
        Files.writeString(layout.resolve("index.json"), "{\"schemaVersion\":2,\"manifests\":["
                + blob(layout, "application/vnd.oci.image.manifest.v1+json", manifest, "") + "]}");
        Files.writeString(layout.resolve("oci-layout"), "{\"imageLayoutVersion\":\"1.0.0\"}");
        out(0, "image", "import", "--name", "example.test/model:1", layout.toString());
        out(0, "image", "import", "--name", "example.test/model:1", layout.toString());
        var pod = daemon.pods().run(PodClient.config("pod", daemon.node().logs()));
        String container = daemon.pods().run(pod, PodClient.container("main", "sleep", "1000").toBuilder().addMounts(
                Mount.newBuilder().setContainerPath("/models").setReadonly(true)
                        .setImage(ImageSpec.newBuilder().setImage("example.test/model:1"))).build());
        assertEquals("some weights\n", daemon.pods().exec(container, "cat", "/models/small/weights.bin").getStdout()
                .toStringUtf8());
        assertTrue(daemon.pods().exec(container, "touch", "/models/new").getExitCode() != 0);
        daemon.pods().stop(pod);
        daemon.pods().remove(pod);
        out(0, "image", "remove", "example.test/model:1");
    }

    private static String blob(Path layout, String type, String content, String title) throws IOException {
        byte[] bytes = content.getBytes(StandardCharsets.UTF_8);
        Digest digest = Digest.ofBytes(bytes);
        Files.write(layout.resolve("blobs/sha256").resolve(digest.hex()), bytes);
        return "{\"mediaType\":\"" + type + "\",\"digest\":\"" + digest + "\",\"size\":" + bytes.length + (title.isEmpty() ? "}"
                : ",\"annotations\":{\"org.opencontainers.image.title\":\"" + title + "\"}}");
    }
}
