package io.berth.it.conformance;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.berth.base.RandomId;
import io.berth.cri.v1.ContainerConfig;
import io.berth.cri.v1.ContainerMetadata;
import io.berth.cri.v1.ContainerState;
import io.berth.cri.v1.ContainerStatus;
import io.berth.cri.v1.ContainerStatusRequest;
import io.berth.cri.v1.CreateContainerRequest;
import io.berth.cri.v1.ExecSyncRequest;
import io.berth.cri.v1.ExecSyncResponse;
import io.berth.cri.v1.ImageServiceGrpc.ImageServiceBlockingStub;
import io.berth.cri.v1.ImageSpec;
import io.berth.cri.v1.NamespaceMode;
import io.berth.cri.v1.NamespaceOption;
import io.berth.cri.v1.PodSandboxConfig;
import io.berth.cri.v1.PodSandboxMetadata;
import io.berth.cri.v1.PullImageRequest;
import io.berth.cri.v1.RemovePodSandboxRequest;
import io.berth.cri.v1.RunPodSandboxRequest;
import io.berth.cri.v1.RuntimeServiceGrpc.RuntimeServiceBlockingStub;
import io.berth.cri.v1.StartContainerRequest;
import io.berth.cri.v1.StopPodSandboxRequest;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import org.junit.jupiter.api.extension.AfterAllCallback;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.function.Executable;

/**
 * The client side of a test: makes the calls in the order of the kubelet, and takes away after each test what the test made.
 * Registered as a static extension; used by one test at a time. On Berth nothing may be left after a class.
 */
final class Cri implements BeforeAllCallback, AfterEachCallback, AfterAllCallback {

    private static final long PATIENCE_NANOS = TimeUnit.SECONDS.toNanos(30);
    private static final String END_MARK = "[end of script]";
    /** Names of this run are not those of one that left something on another runtime. */
    private static final String RUN = RandomId.hex(2);
    private static final AtomicInteger NUMBERS = new AtomicInteger();

    /**
     * A pod that runs.
     *
     * @param config is repeated with each container
     */
    record Pod(String id, PodSandboxConfig config) {}

    private final List<Pod> pods = new ArrayList<>();
    private RuntimeUnderTest runtimeUnderTest;

    @Override
    public void beforeAll(ExtensionContext context) {
        assumeTrue("root".equals(System.getProperty("user.name")), "needs root");
        assumeTrue(SuiteRegistry.isInstalled(), "needs docker-registry");
        RuntimeUnderTest.missingProgram().ifPresent(program -> assumeTrue(false, "there is no " + program + " in the PATH"));
        runtimeUnderTest = context.getRoot().getStore(ExtensionContext.Namespace.create(RuntimeUnderTest.class))
                .computeIfAbsent(RuntimeUnderTest.class, key -> {
                    try {
                        return new RuntimeUnderTest();
                    } catch (Exception e) {
                        throw new IllegalStateException("the runtime under test cannot be started: " + e, e);
                    }
                }, RuntimeUnderTest.class);
        pull(images().busybox());
    }

    @Override
    public void afterEach(ExtensionContext context) {
        List<Pod> made = List.copyOf(pods);
        pods.clear();
        made.forEach(this::removeIfThere);
    }

    // A test may have removed it itself.
    private void removeIfThere(Pod pod) {
        try {
            remove(pod);
        } catch (StatusRuntimeException e) {
            assertEquals(Status.Code.NOT_FOUND, e.getStatus().getCode(), () -> "remove " + pod.id() + ": " + e.getStatus());
        }
    }

    @Override
    public void afterAll(ExtensionContext context) {
        if (runtimeUnderTest != null) {
            runtimeUnderTest.assertNothingLeft();
        }
    }

    RuntimeUnderTest underTest() {
        return runtimeUnderTest;
    }

    SuiteImages images() {
        return runtimeUnderTest.images();
    }

    RuntimeServiceBlockingStub runtime() {
        return runtimeUnderTest.connection().runtime().withDeadlineAfter(60, TimeUnit.SECONDS);
    }

    ImageServiceBlockingStub imageService() {
        return runtimeUnderTest.connection().images().withDeadlineAfter(60, TimeUnit.SECONDS);
    }

    /** Skips a test of something that belongs to Berth, when the suite runs on another runtime. */
    void onlyOnBerth(String reason) {
        assumeTrue(runtimeUnderTest.node().isPresent(), "only on Berth: " + reason);
    }

    /** A fresh directory below the suite's own. */
    Path directory() {
        try {
            return Files.createDirectories(runtimeUnderTest.directory().resolve("files/" + NUMBERS.incrementAndGet()));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    // --- pods

    /** A configuration with the kubelet's defaults: network and IPC of the pod, PIDs of each container. */
    PodSandboxConfig.Builder podConfig() {
        String name = "pod-" + RUN + "-" + NUMBERS.incrementAndGet();
        PodSandboxConfig.Builder config = PodSandboxConfig.newBuilder().setMetadata(PodSandboxMetadata.newBuilder()
                        .setName(name).setNamespace("conformance").setUid("uid-" + name)).setHostname(name)
                .setLogDirectory(runtimeUnderTest.directory().resolve("logs").resolve(name).toString());
        config.getLinuxBuilder().setCgroupParent(runtimeUnderTest.cgroupParent()).getSecurityContextBuilder()
                .getNamespaceOptionsBuilder().setPid(NamespaceMode.CONTAINER);
        return config;
    }

    Pod pod() {
        return pod(config -> { });
    }

    Pod pod(Consumer<PodSandboxConfig.Builder> change) {
        PodSandboxConfig.Builder config = podConfig();
        change.accept(config);
        if (config.getLinux().getSecurityContext().getNamespaceOptions().getNetwork() == NamespaceMode.NODE) {
            // The kubelet names none either: the name is the node's.
            config.clearHostname();
        }
        return pod(config.build(), "");
    }

    Pod pod(PodSandboxConfig config, String handler) {
        Pod pod = new Pod(runtime().runPodSandbox(RunPodSandboxRequest.newBuilder().setConfig(config)
                .setRuntimeHandler(handler).build()).getPodSandboxId(), config);
        pods.add(pod);
        return pod;
    }

    /** A pod with these namespace modes; its containers are to have the same ones. */
    Pod podWith(NamespaceOption modes) {
        return pod(config -> config.getLinuxBuilder().getSecurityContextBuilder().setNamespaceOptions(modes));
    }

    void stop(Pod pod) {
        runtime().stopPodSandbox(StopPodSandboxRequest.newBuilder().setPodSandboxId(pod.id()).build());
    }

    /** Stops and removes. */
    void remove(Pod pod) {
        stop(pod);
        runtime().removePodSandbox(RemovePodSandboxRequest.newBuilder().setPodSandboxId(pod.id()).build());
    }

    // --- containers

    /** A container of the suite's busybox with the pod's namespace modes. */
    ContainerConfig.Builder containerConfig(Pod pod, String... command) {
        String name = "container-" + NUMBERS.incrementAndGet();
        ContainerConfig.Builder config = ContainerConfig.newBuilder().setMetadata(ContainerMetadata.newBuilder().setName(name))
                .setImage(ImageSpec.newBuilder().setImage(images().busybox())).addAllCommand(List.of(command))
                .setLogPath(name + ".log");
        config.getLinuxBuilder().getSecurityContextBuilder()
                .setNamespaceOptions(pod.config().getLinux().getSecurityContext().getNamespaceOptions());
        return config;
    }

    String create(Pod pod, ContainerConfig config) {
        return runtime().createContainer(CreateContainerRequest.newBuilder().setPodSandboxId(pod.id()).setConfig(config)
                .setSandboxConfig(pod.config()).build()).getContainerId();
    }

    String create(Pod pod, Consumer<ContainerConfig.Builder> change, String... command) {
        ContainerConfig.Builder config = containerConfig(pod, command);
        change.accept(config);
        return create(pod, config.build());
    }

    void start(String container) {
        runtime().startContainer(StartContainerRequest.newBuilder().setContainerId(container).build());
    }

    /** Creates and starts a container. */
    String run(Pod pod, Consumer<ContainerConfig.Builder> change, String... command) {
        String id = create(pod, change, command);
        start(id);
        return id;
    }

    /** A container that runs until it is stopped. */
    String sleeper(Pod pod) {
        return sleeper(pod, config -> { });
    }

    String sleeper(Pod pod, Consumer<ContainerConfig.Builder> change) {
        return run(pod, change, "sleep", "1000");
    }

    ContainerStatus status(String container) {
        return runtime().containerStatus(ContainerStatusRequest.newBuilder().setContainerId(container).build()).getStatus();
    }

    /** The status after the container's end, for which it waits. */
    ContainerStatus ended(String container) {
        await("the end of container " + container,
                () -> status(container).getState() == ContainerState.CONTAINER_EXITED);
        return status(container);
    }

    ExecSyncResponse exec(String container, String... command) {
        return runtime().execSync(ExecSyncRequest.newBuilder().setContainerId(container).addAllCmd(List.of(command))
                .setTimeout(20).build());
    }

    /** What a command prints in a running container; it must succeed. */
    String out(String container, String... command) {
        ExecSyncResponse answer = exec(container, command);
        assertEquals(0, answer.getExitCode(), () -> List.of(command) + " printed " + answer.getStdout().toStringUtf8()
                + answer.getStderr().toStringUtf8());
        return answer.getStdout().toStringUtf8();
    }

    /** What a script prints as a container's own program, standard output and error in their order of arrival. */
    String script(Pod pod, Consumer<ContainerConfig.Builder> change, String script) {
        ContainerConfig.Builder config = containerConfig(pod, "sh", "-c", script + "\necho '" + END_MARK + "'");
        change.accept(config);
        start(create(pod, config.build()));
        Path log = logFile(pod, config.getMetadata().getName());
        await("the end of a script", () -> CriLog.read(log).stream().anyMatch(line -> line.text().equals(END_MARK)));
        StringBuilder text = new StringBuilder();
        CriLog.read(log).stream().filter(line -> !line.text().equals(END_MARK))
                .forEach(line -> text.append(line.text()).append(line.partial() ? "" : "\n"));
        return text.toString();
    }

    Path logFile(Pod pod, String container) {
        return Path.of(pod.config().getLogDirectory(), container + ".log");
    }

    /** Waits until something in the container's pod listens on a TCP port. */
    void awaitListening(String container, int port) {
        String wanted = String.format(":%04X 0", port);
        await("a listener on port " + port, () -> out(container, "cat", "/proc/net/tcp", "/proc/net/tcp6").lines()
                .anyMatch(line -> line.contains(wanted) && line.contains(" 0A ")));
    }

    // --- images

    /** Pulls and returns what the runtime calls it. */
    String pull(String reference) {
        return imageService().pullImage(PullImageRequest.newBuilder().setImage(image(reference)).build()).getImageRef();
    }

    /** Pulls one of the suite's and returns its name. */
    String pulled(String repository) {
        String reference = images().reference(repository + ":latest");
        pull(reference);
        return reference;
    }

    static ImageSpec image(String reference) {
        return ImageSpec.newBuilder().setImage(reference).build();
    }

    // --- expectations

    /** Waits until {@code condition} holds; fails after a time that only a broken runtime needs. */
    static void await(String what, BooleanSupplier condition) {
        long deadline = System.nanoTime() + PATIENCE_NANOS;
        while (!condition.getAsBoolean()) {
            if (System.nanoTime() > deadline) {
                fail("waited in vain for " + what);
            }
            pause(5);
        }
    }

    static void pause(long millis) {
        try {
            TimeUnit.MILLISECONDS.sleep(millis);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            fail("interrupted");
        }
    }

    /** The call fails, whatever its status: for what the interface asks to be refused without naming a code. */
    static Status refused(Executable call) {
        return assertThrows(StatusRuntimeException.class, call).getStatus();
    }

    /** The call fails with this status and a message that holds {@code words}. */
    static void refused(Status.Code code, Executable call, String... words) {
        Status status = refused(call);
        assertEquals(code, status.getCode(), status.getDescription());
        for (String word : words) {
            assertTrue(String.valueOf(status.getDescription()).contains(word),
                    () -> "\"" + word + "\" is missing in: " + status.getDescription());
        }
    }

    /** The call is refused as one that could never succeed: INVALID_ARGUMENT or FAILED_PRECONDITION. */
    static void refusedAsWrong(Executable call, String... words) {
        Status status = refused(call);
        assertTrue(Set.of(Status.Code.INVALID_ARGUMENT, Status.Code.FAILED_PRECONDITION).contains(status.getCode()),
                status::toString);
        for (String word : words) {
            assertTrue(String.valueOf(status.getDescription()).contains(word),
                    () -> "\"" + word + "\" is missing in: " + status.getDescription());
        }
    }
}
