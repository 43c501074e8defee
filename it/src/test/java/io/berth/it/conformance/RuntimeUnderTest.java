package io.berth.it.conformance;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.berth.cli.client.Connection;
import io.berth.cli.scratch.DaemonProcess;
import io.berth.cli.scratch.ScratchNode;
import io.berth.linux.Cgroups;
import io.berth.linux.Mounts;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * What the suite runs on: one Berth for all classes, started before the first and ended after the last, or a runtime that is
 * there already, at the socket that {@value #SOCKET} names. With it come a directory for logs and volumes and a registry.
 */
final class RuntimeUnderTest implements AutoCloseable {

    /** Environment: the socket of another runtime. */
    static final String SOCKET = "BERTH_CONFORMANCE_SOCKET";
    /**
     * Environment: the runtime handler that Berth uses by default, such as {@code crun}, {@code runsc}, {@value #SHIM} or
     * {@value #RUNSC_SHIM}.
     */
    static final String HANDLER = "BERTH_CONFORMANCE_HANDLER";

    /** The handler whose containers run behind containerd's shim for runc. */
    private static final String SHIM = "shim";
    /** The handler whose containers run behind gVisor's own shim. */
    private static final String RUNSC_SHIM = "runsc-shim";
    /** Their configuration, where a handler has to be configured; with the suite's directory. */
    private static final Map<String, String> HANDLERS = Map.of(
            SHIM, """
            [runtime.runtimes.shim]
            runtime_type = "io.containerd.runc.v2"
            """,
            RUNSC_SHIM, """
            [runtime.runtimes.runsc-shim]
            runtime_type = "io.containerd.runsc.v1"
            options.TypeUrl = "io.containerd.runsc.v1.options"
            options.ConfigPath = "%1$s/runsc.toml"
            """,
            "runsc", """
            [runtime.runtimes.runsc]
            runtime_path = "runsc"
            """);
    /** Their programs, where those have other names. */
    private static final Map<String, String> PROGRAMS = Map.of(SHIM, "containerd-shim-runc-v2",
            RUNSC_SHIM, "containerd-shim-runsc-v1");
    private static final String FOREIGN_CGROUP = "/berth-conformance-" + ProcessHandle.current().pid();

    private final Path directory;
    private final SuiteRegistry registry;
    private final SuiteImages images;
    private final Optional<ScratchNode> node;
    private final Optional<DaemonProcess> daemon;
    private final Connection connection;

    RuntimeUnderTest() throws Exception {
        directory = Files.createTempDirectory("berth-conformance");
        // A container whose root is another user here has to get through to its volumes.
        Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwxr-xr-x"));
        registry = SuiteRegistry.start(directory);
        images = SuiteImages.push(registry, directory);
        Optional<Path> other = Optional.ofNullable(System.getenv(SOCKET)).map(Path::of);
        if (other.isPresent()) {
            node = Optional.empty();
            daemon = Optional.empty();
            connection = Connection.to(other.get());
        } else {
            ScratchNode own = ScratchNode.create();
            Files.createDirectory(own.directory().resolve("config.d"));
            Files.writeString(directory.resolve("runsc.toml"), "root = \"%s/runsc\"\n".formatted(directory));
            Files.writeString(own.directory().resolve("config.d/conformance.toml"), """
                    [runtime]
                    default_runtime_name = "%s"
                    cdi_spec_dirs = ["%s"]
                    """.formatted(handler(), directory.resolve("cdi"))
                    + HANDLERS.getOrDefault(handler(), "").formatted(directory));
            node = Optional.of(own);
            daemon = Optional.of(own.start());
            connection = Connection.to(own.socket());
        }
    }

    private static String handler() {
        return Optional.ofNullable(System.getenv(HANDLER)).orElse("");
    }

    /** The program of the handler that is asked for, where it is not installed. */
    static Optional<String> missingProgram() {
        return Optional.of(PROGRAMS.getOrDefault(handler(), handler())).filter(program -> !program.isEmpty()
                && Stream.of(System.getenv("PATH").split(":")).noneMatch(directory ->
                        Files.isExecutable(Path.of(directory, program))));
    }

    Connection connection() {
        return connection;
    }

    SuiteImages images() {
        return images;
    }

    /** For files of tests: logs, volumes, CDI descriptions. */
    Path directory() {
        return directory;
    }

    /**
     * The cgroup that pods ask for. Berth has a place for pods that name none, as crictl's do; others need one for their stats,
     * as the kubelet gives it.
     */
    String cgroupParent() {
        return node.isPresent() ? "" : FOREIGN_CGROUP;
    }

    /** The daemon's node, when the suite runs on Berth. */
    Optional<ScratchNode> node() {
        return node;
    }

    /** The daemon's process id, when the suite runs on Berth. */
    Optional<Integer> daemonPid() {
        return daemon.map(DaemonProcess::pid);
    }

    /** No mount, namespace, cgroup, process, interface, address or record of a pod is left. Only Berth can be asked. */
    void assertNothingLeft() {
        node.ifPresent(own -> assertEquals(List.of(), own.podTracesAtRest(daemon).lines(), "left behind by pods"));
    }

    @Override
    public void close() throws Exception {
        connection.close();
        registry.close();
        if (node.isPresent()) {
            daemon.get().stop();
            Path log = Files.createDirectories(Path.of("target/daemon-logs")).resolve("conformance.log");
            Files.copy(node.get().daemonLog(), log, StandardCopyOption.REPLACE_EXISTING);
            boolean clean = node.get().podTraces(Optional.empty()).isEmpty();
            if (clean) {
                node.get().tearDown();
            } else {
                node.get().destroy();
            }
        }
        if (node.isEmpty()) {
            Cgroups.detect().remove(FOREIGN_CGROUP);
        }
        deleteDirectory();
    }

    private void deleteDirectory() throws IOException {
        // Never through a mount that a failed test has left.
        Mounts.at(directory).forEach(Mounts::unmount);
        assertEquals(List.of(), Mounts.at(directory), "still mounted");
        try (Stream<Path> all = Files.walk(directory)) {
            for (Path path : (Iterable<Path>) all.sorted(Comparator.reverseOrder())::iterator) {
                Files.delete(path);
            }
        }
    }
}
