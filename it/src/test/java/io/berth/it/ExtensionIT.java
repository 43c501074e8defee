package io.berth.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.berth.cli.scratch.PodClient;
import io.berth.cri.v1.ImageSpec;
import io.berth.cri.v1.ListImagesRequest;
import io.berth.cri.v1.PodSandboxStatusRequest;
import io.berth.cri.v1.PullImageRequest;
import io.berth.cri.v1.StatusRequest;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/** Extensions in a real daemon. */
@Timeout(180)
class ExtensionIT {

    @RegisterExtension
    private final TestDaemon daemon = TestDaemon.withBuiltinNetwork();

    @TempDir
    private Path directory;

    private Path extensions() throws IOException {
        Path extensions = Files.createDirectories(daemon.node().directory().resolve("extensions"));
        Files.createDirectories(daemon.node().directory().resolve("config.d"));
        return extensions;
    }

    private void configure(String more) throws IOException {
        configure(more, "2s");
    }

    private void configure(String more, String limit) throws IOException {
        daemon.stop();
        Files.writeString(daemon.node().directory().resolve("config.d/extensions.toml"),
                more + "\n[extensions]\ndirectory = \"" + extensions() + "\"\ncall_timeout = \"" + limit + "\"\n");
        daemon.start();
    }

    private static void await(String what, BooleanSupplier condition) throws InterruptedException {
        for (int i = 0; i < 600; i++) {
            if (condition.getAsBoolean()) {
                return;
            }
            Thread.sleep(50);
        }
        throw new AssertionError("not within 30 s: " + what);
    }

    private static String read(Path file) {
        try {
            return Files.exists(file) ? Files.readString(file) : "";
        } catch (IOException e) {
            return "";
        }
    }

    private String states() {
        return daemon.connection().runtime().status(StatusRequest.newBuilder().setVerbose(true).build()).getInfoOrThrow("extensions");
    }

    @Test
    void theSampleOfTheDocumentationJudgesImagesAndHearsOfContainers() throws Exception {
        ExtensionSource.documented().pack(extensions(), "housekeeping");
        Path notes = directory.resolve("notes");
        Files.writeString(extensions().resolve("housekeeping.properties"), "notes = " + notes + "\n");
        configure("");
        assertTrue(states().contains("\"name\":\"housekeeping\"") && states().contains("\"state\":\"active\""), states());
        try (LocalRegistry registry = LocalRegistry.start(directory.resolve("registry"))) {
            String versioned = registry.push("image");
            String latest = versioned.replaceFirst(":1$", ":latest");
            assertEquals(0, new ProcessBuilder("skopeo", "--insecure-policy", "copy", "--src-tls-verify=false",
                    "--dest-tls-verify=false", "docker://" + versioned, "docker://" + latest).redirectErrorStream(true)
                    .redirectOutput(directory.resolve("copy.log").toFile()).start().waitFor());
            Status refused = assertThrows(StatusRuntimeException.class, () -> pull(latest)).getStatus();
            assertEquals(Status.Code.PERMISSION_DENIED, refused.getCode(), refused.getDescription());
            assertTrue(refused.getDescription().contains("extension housekeeping refuses it: name a version"), refused.getDescription());
            pull(versioned);
        }
        TestImages.busybox(daemon);
        var pod = daemon.pods().run(PodClient.config("pod", daemon.node().logs()));
        String container = daemon.pods().run(pod, PodClient.container("c", "sh", "-c", "exit 7"));
        daemon.pods().awaitExit(container, Duration.ofSeconds(20));
        await("the note of the end", () -> read(notes).equals("pod/c ended with 7\n"));
        end(pod);
    }

    private void pull(String reference) {
        daemon.connection().images().pullImage(PullImageRequest.newBuilder()
                .setImage(ImageSpec.newBuilder().setImage(reference)).build());
    }

    @Test
    void aPodsLifeGoesOnBesideListenersThatThrowAndHang() throws Exception {
        ExtensionSource.of("public Optional<LifecycleListener> lifecycleListener() { return Optional.of(event -> {"
                + " throw new StackOverflowError(); }); }").pack(extensions(), "throws");
        ExtensionSource.of("public Optional<LifecycleListener> lifecycleListener() { return Optional.of(event -> {"
                + " while (true) { try { Thread.sleep(1000); } catch (InterruptedException e) { } } }); }").pack(extensions(), "hangs");
        configure("");
        TestImages.busybox(daemon);
        var pod = daemon.pods().run(PodClient.config("pod", daemon.node().logs()));
        daemon.pods().run(pod, PodClient.container("c", "sleep", "1000"));
        await("a listener that throws is seen", () -> states().contains("StackOverflowError"));
        await("a listener that hangs is seen", () -> states().contains("\"hanging\""));
        end(pod);
    }

    @Test
    void podsGetTheNetworkOfAnExtensionAndGiveItBack() throws Exception {
        Path made = Files.createDirectory(directory.resolve("made"));
        // A pair of interfaces in the pod's own namespace, as ip(8) makes it.
        ExtensionSource.of("""
                static void run(String... command) throws Exception {
                    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
                    String words = new String(process.getInputStream().readAllBytes());
                    if (process.waitFor() != 0) { throw new Exception(words); }
                }
                public Optional<NetworkProvider> networkProvider() { return Optional.of(new NetworkProvider() {
                    public List<String> attach(PodInterface pod) throws Exception {
                        Files.createFile(Path.of("%1$s", pod.sandboxId()));
                        String netns = "--net=" + pod.namespaceFile().get();
                        run("nsenter", netns, "ip", "link", "add", "eth0", "type", "veth", "peer", "name", "eth1");
                        run("nsenter", netns, "ip", "address", "add", "10.77.0.9/24", "dev", "eth0");
                        run("nsenter", netns, "ip", "link", "set", "eth0", "up");
                        return List.of("10.77.0.9");
                    }
                    public void detach(PodInterface pod) throws Exception {
                        Files.deleteIfExists(Path.of("%1$s", pod.sandboxId()));
                    }
                }); }
                """.formatted(made)).pack(extensions(), "net");
        configure("[runtime]\nnetwork = \"extension\"");
        TestImages.busybox(daemon);
        var pod = daemon.pods().run(PodClient.config("pod", daemon.node().logs()));
        assertEquals("10.77.0.9", daemon.connection().runtime().podSandboxStatus(PodSandboxStatusRequest.newBuilder()
                .setPodSandboxId(pod.id()).build()).getStatus().getNetwork().getIp());
        String container = daemon.pods().run(pod, PodClient.container("c", "sleep", "1000"));
        assertTrue(daemon.pods().exec(container, "ip", "addr", "show", "eth0").getStdout().toStringUtf8().contains("10.77.0.9/24"));
        assertTrue(Files.exists(made.resolve(pod.id())));
        daemon.restart();
        end(pod);
        assertEquals(false, Files.exists(made.resolve(pod.id())));
    }

    @Test
    void anImportIsRefusedByAPolicyAndByOneThatCannotDecide() throws Exception {
        ExtensionSource.of("""
                public Optional<ImagePolicy> imagePolicy() { return Optional.of(image -> {
                    if (Files.exists(Path.of("%s"))) { throw new Exception("cannot tell"); }
                    return image.source() == NewImage.Source.FILE && image.reference().contains("busybox")
                            ? Verdict.refuse("no files") : Verdict.accept();
                }); }
                """.formatted(directory.resolve("broken"))).pack(extensions(), "policy");
        configure("");
        Status refused = assertThrows(StatusRuntimeException.class, () -> TestImages.busybox(daemon)).getStatus();
        assertEquals(Status.Code.PERMISSION_DENIED, refused.getCode(), refused.getDescription());
        assertTrue(refused.getDescription().contains("extension policy refuses it: no files"), refused.getDescription());
        Files.createFile(directory.resolve("broken"));
        Status undecided = assertThrows(StatusRuntimeException.class, () -> TestImages.busybox(daemon)).getStatus();
        assertEquals(Status.Code.UNAVAILABLE, undecided.getCode(), undecided.getDescription());
        assertTrue(undecided.getDescription().contains("cannot tell"), undecided.getDescription());
        assertEquals(0, daemon.connection().images().listImages(ListImagesRequest.getDefaultInstance()).getImagesCount());
    }

    /** A listener that appends a line for each end of a container. */
    private Path noted(String before) throws Exception {
        Path notes = directory.resolve("ends");
        ExtensionSource.of("""
                public Optional<LifecycleListener> lifecycleListener() { return Optional.of(event -> {
                    if (event.kind() == LifecycleEvent.Kind.STOPPED && event.container().isPresent()) {
                        %s
                        Files.writeString(Path.of("%s"), event.container().get().name() + " " + event.container().get().exitCode()
                                .getAsInt() + " " + (System.currentTimeMillis() - event.at().toEpochMilli() < 60_000) + "\\n",
                                StandardOpenOption.CREATE, StandardOpenOption.APPEND);
                    }
                }); }
                """.formatted(before, notes)).pack(extensions(), "ends");
        configure("", "60s");
        return notes;
    }

    /** Runs a container that ends when a file is there, and says so to whoever looks for its process. */
    private String waiting(PodClient.Pod pod, String name, int code) {
        return daemon.pods().run(pod, PodClient.container(name, "sh", "-c",
                "until [ -e /go ]; do sleep 0.05; done; exit " + code));
    }

    private void goOn(String container) throws IOException {
        Path rootfs = daemon.node().state().resolve("containers").resolve(container).resolve("rootfs");
        Files.createFile(rootfs.resolve("go"));
    }

    private boolean hasExitFile(String container) {
        return Files.exists(daemon.node().state().resolve("exits").resolve(container));
    }

    @Test
    void endsThatCameWhileTheDaemonWasDownAreToldOnceAfterItsStart() throws Exception {
        Path notes = noted("");
        TestImages.busybox(daemon);
        var pod = daemon.pods().run(PodClient.config("pod", daemon.node().logs()));
        String first = waiting(pod, "first", 3);
        String second = waiting(pod, "second", 4);
        daemon.kill9();
        goOn(first);
        await("the first end", () -> hasExitFile(first));
        daemon.start();
        await("the first end is told", () -> read(notes).equals("first 3 true\n"));
        daemon.stop();
        goOn(second);
        await("the second end", () -> hasExitFile(second));
        daemon.start();
        await("the second end is told", () -> read(notes).equals("first 3 true\nsecond 4 true\n"));
        daemon.restart();
        // What comes after it shows that nothing was told in between.
        daemon.pods().awaitExit(daemon.pods().run(pod, PodClient.container("third", "sh", "-c", "exit 5")), Duration.ofSeconds(20));
        await("the third end is told", () -> read(notes).contains("third"));
        assertEquals("first 3 true\nsecond 4 true\nthird 5 true\n", read(notes));
        end(pod);
    }

    @Test
    void anEndThatWasOnRecordAndNotYetToldWhenTheDaemonDiedIsToldByTheNextOne() throws Exception {
        Path hold = Files.createFile(directory.resolve("hold"));
        Path called = directory.resolve("called");
        Path notes = noted("""
                Files.writeString(Path.of("%s"), "x");
                while (Files.exists(Path.of("%s"))) { Thread.sleep(20); }
                """.formatted(called, hold));
        TestImages.busybox(daemon);
        var pod = daemon.pods().run(PodClient.config("pod", daemon.node().logs()));
        // The listener is held by the first, so that the second waits in the queue.
        String first = daemon.pods().run(pod, PodClient.container("first", "sh", "-c", "exit 3"));
        await("the listener is called", () -> Files.exists(called));
        String second = daemon.pods().run(pod, PodClient.container("second", "sh", "-c", "exit 4"));
        daemon.pods().awaitExit(first, Duration.ofSeconds(20));
        daemon.pods().awaitExit(second, Duration.ofSeconds(20));
        daemon.kill9();
        Files.delete(hold);
        daemon.start();
        await("both ends are told", () -> read(notes).equals("first 3 true\nsecond 4 true\n"));
        end(pod);
    }

    private void end(PodClient.Pod pod) {
        daemon.pods().stop(pod);
        daemon.pods().remove(pod);
        daemon.assertNothingLeft();
    }
}
