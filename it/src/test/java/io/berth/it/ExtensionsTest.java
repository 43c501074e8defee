package io.berth.it;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.berth.base.Digest;
import io.berth.base.RuntimeFault;
import io.berth.image.AdmitImage;
import io.berth.image.ImageReference;
import io.berth.network.AttachRequest;
import io.berth.network.PodNetwork;
import io.berth.server.config.Config;
import io.berth.server.extension.ExtensionJar;
import io.berth.server.extension.Extensions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Extensions that do what they should not: nothing of it reaches Berth. */
@Timeout(60)
class ExtensionsTest {

    private static final ImageReference IMAGE = ImageReference.parse("docker.io/library/busybox:1");
    private static final String ID = "0123456789abcdef".repeat(4);

    @TempDir
    private Path directory;

    private Extensions load(boolean refuse, Duration limit) {
        return Extensions.load(new Config.Extensions(Optional.of(directory), limit, refuse), directory.resolve("heard"));
    }

    private Extensions load() {
        return load(true, Duration.ofSeconds(20));
    }

    private static String refusal(Extensions extensions, RuntimeFault.Kind kind) {
        RuntimeFault fault = assertThrows(RuntimeFault.class,
                () -> extensions.admit(IMAGE, Set.of(Digest.parse("sha256:" + ID)), AdmitImage.Source.REGISTRY));
        assertEquals(kind, fault.kind(), fault.getMessage());
        return fault.getMessage();
    }

    /** What a policy says that refuses the image. */
    private static String refusal(Extensions extensions) {
        return refusal(extensions, RuntimeFault.Kind.PERMISSION_DENIED);
    }

    /** Why there is no word of a policy, which refuses the image for now. */
    private static String undecided(Extensions extensions) {
        return refusal(extensions, RuntimeFault.Kind.UNAVAILABLE);
    }

    private static String policy(String statements) {
        return """
                static class Own extends RuntimeException { public String getMessage() { throw new IllegalStateException(); } }
                static long deep(long n) { return deep(n + 1) + 1; }
                public Optional<ImagePolicy> imagePolicy() { return Optional.of(image -> { %s }); }
                """.formatted(statements);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
            "throw new Exception(\"broken\"); | broken",
            "throw new Own(); | Own",
            "throw new Error(\"worse\"); | worse",
            "return Verdict.refuse(\"\" + deep(0)); | StackOverflowError",
            "return Verdict.refuse(\"\" + new long[Integer.MAX_VALUE].length + new long[Integer.MAX_VALUE].length); | OutOfMemoryError",
            "return null; | no verdict"})
    void aPolicyThatFailsRefusesTheImageAndNothingElse(String statements, String expected) {
        ExtensionSource.of(policy(statements)).pack(directory, "sample");
        try (Extensions extensions = load()) {
            String message = undecided(extensions);
            assertTrue(message.contains(expected), message);
            assertTrue(message.contains("set extensions.image_policy_failure"), message);
            assertEquals("active", extensions.states().getFirst().state());
        }
    }

    @Test
    void aPolicyIsToldWhatComesFromWhereAndItsRefusalIsNoFailure() {
        ExtensionSource.of(policy("return Verdict.refuse(\"not \" + image);")).pack(directory, "sample");
        try (Extensions extensions = load()) {
            String message = refusal(extensions);
            assertTrue(message.startsWith("pull image " + IMAGE + ": extension sample refuses it: not NewImage[reference=" + IMAGE
                    + ", digests=[sha256:" + ID + "], source=REGISTRY]"), message);
            RuntimeFault imported = assertThrows(RuntimeFault.class,
                    () -> extensions.admit(IMAGE, Set.of(), AdmitImage.Source.FILE));
            assertTrue(imported.getMessage().startsWith("import image " + IMAGE + ": extension sample refuses it"),
                    imported.getMessage());
            assertTrue(imported.getMessage().contains("source=FILE"), imported.getMessage());
            assertEquals(0, extensions.states().getFirst().failures());
        }
    }

    @Test
    void onlyAVerdictRefusesWhereTheOperatorAcceptsOnFailure() {
        ExtensionSource.of(policy("throw new Exception();")).pack(directory, "sample");
        try (Extensions extensions = load(false, Duration.ofSeconds(20))) {
            assertDoesNotThrow(() -> extensions.admit(IMAGE, Set.of(), AdmitImage.Source.REGISTRY));
            assertEquals(1, extensions.states().getFirst().failures());
        }
        ExtensionSource.of(policy("return Verdict.refuse(\"no\");")).pack(directory, "sample");
        try (Extensions extensions = load(false, Duration.ofSeconds(20))) {
            refusal(extensions);
        }
    }

    @Test
    void oneThatHangsAlsoAgainstInterruptsIsGivenUpAndNotAskedForEver() {
        ExtensionSource.of(policy("while (true) { Thread.onSpinWait(); if (image == null) { return null; } Thread.interrupted();"
                + " java.util.concurrent.locks.LockSupport.parkNanos(1_000_000); }")).pack(directory, "sample");
        Extensions extensions = load(true, Duration.ofMillis(100));
        for (int i = 0; i < 4; i++) {
            assertTrue(undecided(extensions).contains("has not answered within 100 ms"));
        }
        assertTrue(undecided(extensions).contains("4 earlier calls hang"));
        assertEquals("hanging", extensions.states().getFirst().state());
        assertEquals(5, extensions.states().getFirst().failures());
        extensions.close();
    }

    @ParameterizedTest
    @ValueSource(strings = {"public void start(Map<String, String> s) { System.exit(3); }",
        "public void start(Map<String, String> s) { Runtime.getRuntime().halt(3); }",
        "public void start(Map<String, String> s) { Runnable r = () -> Runtime.getRuntime().exit(3); r.run(); }"})
    void aJarThatWouldEndTheMachineIsNotLoaded(String body) {
        Path jar = ExtensionSource.of(body).pack(directory, "sample");
        assertTrue(new ExtensionJar(jar).problem().orElse("").contains("which would end Berth"));
        Extensions extensions = load();
        assertEquals("not loaded", extensions.states().getFirst().state());
        assertTrue(undecided(extensions).contains("which would end Berth"));
    }

    @Test
    void aJarThatOthersCanWriteIsNotLoaded() throws IOException {
        Path jar = ExtensionSource.of("").pack(directory, "sample");
        assertEquals(Optional.empty(), new ExtensionJar(jar).problem());
        Files.setPosixFilePermissions(jar, PosixFilePermissions.fromString("rw-rw-r--"));
        assertTrue(new ExtensionJar(jar).problem().orElse("").contains("can be written by others"));
    }

    @Test
    void aLinkToAJarOfSomebodyElseIsNotLoaded() throws IOException {
        assumeTrue("root".equals(System.getProperty("user.name")), "needs root");
        Path theirs = Files.createDirectory(directory.resolve("theirs"));
        Path jar = ExtensionSource.of("").pack(theirs, "sample");
        Files.setAttribute(jar, "unix:uid", 65534);
        Path link = Files.createSymbolicLink(Files.createDirectory(directory.resolve("ours")).resolve("sample.jar"), jar);
        assertTrue(new ExtensionJar(link).problem().orElse("").contains(jar + " can be written by others"));
        Files.setAttribute(jar, "unix:uid", 0);
        assertEquals(Optional.empty(), new ExtensionJar(link).problem());
        Files.setPosixFilePermissions(theirs, PosixFilePermissions.fromString("rwxrwxrwx"));
        assertTrue(new ExtensionJar(link).problem().orElse("").contains(theirs + " can be written by others"));
    }

    @Test
    void withoutTheDirectoryNoImageIsAccepted() {
        Extensions extensions = Extensions.load(
                new Config.Extensions(Optional.of(directory.resolve("unmounted")), Duration.ofSeconds(20), true),
                directory.resolve("heard"));
        assertTrue(undecided(extensions).contains("there is no such directory"));
    }

    @Test
    void whatIsNoExtensionIsToldAndTheOthersAreLoaded() throws IOException {
        Files.writeString(directory.resolve("a-text.jar"), "not a jar");
        ExtensionSource.of("public Sample() { throw new IllegalStateException(\"not today\"); }").pack(directory, "b-constructor");
        ExtensionSource.of("public void start(Map<String, String> s) throws Exception { Class.forName(\"io.berth.base.Digest\"); }")
                .pack(directory, "c-curious");
        ExtensionSource.of(policy("return Verdict.accept();")).pack(directory, "d-good");
        try (Extensions extensions = load(false, Duration.ofSeconds(20))) {
            assertEquals(List.of("d-good active images", "a-text not loaded ", "b-constructor not loaded ", "c-curious not loaded "),
                    extensions.states().stream().map(each -> each.name() + " " + each.state() + " " + each.takesPartIn()).toList());
            assertTrue(extensions.states().get(2).lastFailure().contains("not today"));
            assertTrue(extensions.states().get(3).lastFailure().contains("ClassNotFoundException"));
        }
    }

    @Test
    void settingsComeFromTheFileBesideTheJar() throws IOException {
        ExtensionSource.of("Map<String, String> given; public void start(Map<String, String> s) { given = s; }"
                + "public Optional<ImagePolicy> imagePolicy() { return Optional.of(image -> Verdict.refuse(given.get(\"why\"))); }")
                .pack(directory, "sample");
        Files.writeString(directory.resolve("sample.properties"), "why = because\n");
        try (Extensions extensions = load()) {
            assertTrue(refusal(extensions).contains("because"));
        }
    }

    private static final String NETWORK = """
            public Optional<NetworkProvider> networkProvider() { return Optional.of(new NetworkProvider() {
                public List<String> attach(PodInterface pod) throws Exception { %s }
                public void detach(PodInterface pod) throws Exception { %s }
            }); }
            """;

    private AttachRequest request() {
        return AttachRequest.of(ID, "pod", "default", "uid", Path.of("/proc/self/ns/net"));
    }

    @Test
    void aNetworkThatGivesNonsenseIsAskedToTakeItBack() throws IOException {
        Path detached = directory.resolve("detached");
        ExtensionSource.of(NETWORK.formatted("return List.of(\"10.1.2\");", "Files.createFile(Path.of(\"" + detached + "\"));"))
                .pack(directory, "sample");
        try (Extensions extensions = load(); PodNetwork network = extensions.network(directory.resolve("records"))) {
            RuntimeFault fault = assertThrows(RuntimeFault.class, () -> network.attach(request()));
            assertTrue(fault.getMessage().contains("\"10.1.2\" is not an IP address"), fault.getMessage());
            assertTrue(Files.exists(detached));
            assertEquals(Set.of(), network.attached());
        }
    }

    @Test
    void anAttachThatEndsAfterItsLimitIsTakenBack() throws Exception {
        Path made = directory.resolve("made");
        ExtensionSource.of(NETWORK.formatted("""
                long end = System.nanoTime() + 600_000_000L;
                while (System.nanoTime() < end) { Thread.interrupted(); Thread.onSpinWait(); }
                Files.createFile(Path.of("%1$s")); return List.of("10.1.2.3");""".formatted(made),
                "Files.deleteIfExists(Path.of(\"" + made + "\")); Files.writeString(Path.of(\"" + made
                        + ".detached\"), \"x\", StandardOpenOption.CREATE, StandardOpenOption.APPEND);")).pack(directory, "sample");
        try (Extensions extensions = load(true, Duration.ofMillis(200));
                PodNetwork network = extensions.network(directory.resolve("records"))) {
            assertThrows(RuntimeFault.class, () -> network.attach(request()));
            Path detached = Path.of(made + ".detached");
            for (int i = 0; i < 500 && (!Files.exists(detached) || Files.size(detached) < 2); i++) {
                Thread.sleep(10);
            }
            assertEquals("xx", Files.readString(detached));
            assertFalse(Files.exists(made));
        }
    }

    @Test
    void whatCannotBeTakenBackStaysOnRecordOverARestart() {
        ExtensionSource.of(NETWORK.formatted("return List.of(\"10.1.2.3\");", "throw new Exception(\"not yet\");"))
                .pack(directory, "sample");
        Path records = directory.resolve("records");
        try (Extensions extensions = load(); PodNetwork network = extensions.network(records)) {
            assertEquals("10.1.2.3", network.attach(request()).addresses().getFirst().getHostAddress());
            assertEquals(network.attach(request()), network.attach(request()));
            assertThrows(RuntimeFault.class, () -> network.detach(request().toDetach()));
            assertEquals(Set.of(ID), network.recover(Set.of()));
        }
        ExtensionSource.of(NETWORK.formatted("return List.of();", "")).pack(directory, "sample");
        try (Extensions extensions = load(); PodNetwork network = extensions.network(records)) {
            assertEquals(Set.of(ID), network.attached());
            assertEquals(Set.of(), network.recover(Set.of()));
            assertEquals(Set.of(), network.attached());
        }
    }

    @Test
    void anAttachThatNeverEndedIsTakenBackAlsoForASandboxThatIsStillThere() throws IOException {
        Path detached = directory.resolve("detached");
        ExtensionSource.of(NETWORK.formatted("throw new Exception(\"no\");", "if (!Files.exists(Path.of(\"" + directory
                + "/may\"))) { throw new Exception(\"not yet\"); } Files.createFile(Path.of(\"" + detached + "\"));"))
                .pack(directory, "sample");
        try (Extensions extensions = load(); PodNetwork network = extensions.network(directory.resolve("records"))) {
            assertThrows(RuntimeFault.class, () -> network.attach(request()));
            assertEquals(Set.of(ID), network.attached());
            assertEquals(Set.of(ID), network.recover(Set.of(ID)));
            Files.createFile(directory.resolve("may"));
            assertEquals(Set.of(), network.recover(Set.of(ID)));
            assertTrue(Files.exists(detached));
            assertEquals(Set.of(), network.attached());
        }
    }

    @Test
    void whatIsAttachedStaysSoForASandboxThatLives() {
        ExtensionSource.of(NETWORK.formatted("return List.of(\"10.1.2.3\");", "")).pack(directory, "sample");
        try (Extensions extensions = load(); PodNetwork network = extensions.network(directory.resolve("records"))) {
            network.attach(request());
            assertEquals(Set.of(), network.recover(Set.of(ID)));
            assertEquals(Set.of(ID), network.attached());
        }
    }

    @Test
    void withoutExactlyOneNetworkTheNodeIsNotReady() {
        try (Extensions extensions = load(); PodNetwork network = extensions.network(directory.resolve("records"))) {
            assertTrue(network.status().message().contains("no extension in " + directory));
            assertThrows(RuntimeFault.class, () -> network.attach(request()));
        }
        String body = NETWORK.formatted("return List.of();", "");
        ExtensionSource.of(body).pack(directory, "a");
        ExtensionSource.of(body).pack(directory, "b");
        try (Extensions extensions = load(); PodNetwork network = extensions.network(directory.resolve("records"))) {
            assertTrue(network.status().message().contains("[a, b] both want"), network.status().message());
        }
    }
}
