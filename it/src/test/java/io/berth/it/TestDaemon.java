package io.berth.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.berth.cli.client.Connection;
import io.berth.cli.scratch.DaemonProcess;
import io.berth.cli.scratch.PodClient;
import io.berth.cli.scratch.ScratchNode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.opentest4j.TestAbortedException;

/**
 * A daemon as a real child process, with directories, bridge, subnet and cgroup of its own. Register it with
 * {@code @RegisterExtension}; it starts before each test. After a test that passed nothing may be left of its pods; after
 * one that failed, everything is removed by force and the daemon's log is kept in target/daemon-logs.
 */
final class TestDaemon implements BeforeEachCallback, AfterEachCallback {

    private final String extraConfiguration;
    private final boolean failpoints;
    private final List<String> javaOptions;
    private final Map<String, String> environment;
    private ScratchNode node;
    private DaemonProcess process;
    private Connection connection;

    private TestDaemon(String extraConfiguration, boolean failpoints, List<String> javaOptions,
            Map<String, String> environment) {
        this.extraConfiguration = extraConfiguration;
        this.failpoints = failpoints;
        this.javaOptions = javaOptions;
        this.environment = environment;
    }

    /** With the built-in network and defaults for all else. */
    static TestDaemon withBuiltinNetwork() {
        return new TestDaemon("", false, List.of(), Map.of());
    }

    /** With a drop-in that wins over the usual configuration of tests. */
    static TestDaemon with(String toml) {
        return new TestDaemon(toml, false, List.of(), Map.of());
    }

    /** As {@link #with(String)}, with further variables of its environment. */
    static TestDaemon with(String toml, Map<String, String> environment) {
        return new TestDaemon(toml, false, List.of(), environment);
    }

    /** With further options of its Java machine. */
    static TestDaemon withOptions(String toml, String... javaOptions) {
        return new TestDaemon(toml, false, List.of(javaOptions), Map.of());
    }

    /** With further variables of its environment; programs that it starts do not get them. */
    static TestDaemon withEnvironment(Map<String, String> environment) {
        return new TestDaemon("", false, List.of(), environment);
    }

    /** That a test stops and breaks at its steps by {@link #faults()}. */
    static TestDaemon withFailpoints(String toml) {
        return new TestDaemon(toml, true, List.of(), Map.of());
    }

    @Override
    public void beforeEach(ExtensionContext context) throws IOException {
        assumeTrue("root".equals(System.getProperty("user.name")), "needs root");
        node = ScratchNode.create();
        if (!extraConfiguration.isEmpty()) {
            Files.createDirectory(node.directory().resolve("config.d"));
            Files.writeString(node.directory().resolve("config.d/test.toml"), extraConfiguration);
        }
        start();
    }

    ScratchNode node() {
        return node;
    }

    Connection connection() {
        return connection;
    }

    /** The usual calls, on the present connection. */
    PodClient pods() {
        return new PodClient(connection);
    }

    DaemonProcess process() {
        return process;
    }

    /** The process id of the daemon. */
    int pid() {
        return process.pid();
    }

    /** What stops and breaks this daemon. */
    Faults faults() {
        return new Faults(node.directory().resolve("failpoints"));
    }

    void start() {
        process = node.start(failpoints ? faults().options() : javaOptions, environment);
        connection = Connection.to(node.socket());
    }

    /** Starts another build's daemon here, by its launcher. */
    void startBy(Path launcher) {
        process = node.startBy(launcher);
        connection = Connection.to(node.socket());
    }

    /** Ends the daemon as an operator would; containers run on. */
    void stop() {
        connection.close();
        process.stop();
    }

    /** Ends the daemon as a crash would. */
    void kill9() {
        connection.close();
        process.kill();
    }

    void restart() {
        stop();
        start();
    }

    /** No mount, namespace, cgroup, process, interface, address or record of a pod is left. */
    void assertNothingLeft() {
        assertEquals(List.of(), node.podTracesAtRest(Optional.of(process)).lines(), "left behind by pods");
    }

    /** A container's log file, of a pod that was configured by {@link PodClient#config}. */
    String log(String pod, String container) {
        try {
            return Files.readString(node.logs().resolve(pod).resolve(container + ".log"));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public void afterEach(ExtensionContext context) {
        if (node == null) {
            return;
        }
        Optional<DaemonProcess> running = Optional.ofNullable(process).filter(DaemonProcess::isAlive);
        // A test that was skipped has not failed.
        boolean failed = context.getExecutionException().filter(end -> !(end instanceof TestAbortedException)).isPresent();
        List<String> left = failed ? List.of() : node.podTracesAtRest(running).lines();
        if (failed || !left.isEmpty()) {
            end(context);
        } else {
            stop();
            node.tearDown();
            left = node.leftovers();
        }
        assertEquals(List.of(), left, "left behind");
    }

    private void end(ExtensionContext context) {
        if (connection != null) {
            connection.close();
        }
        if (process != null) {
            process.kill();
        }
        keepLog(context);
        node.destroy();
    }

    private void keepLog(ExtensionContext context) {
        try {
            Path kept = Files.createDirectories(Path.of("target/daemon-logs"))
                    .resolve(context.getRequiredTestClass().getSimpleName() + "." + context.getRequiredTestMethod().getName() + ".log");
            Files.copy(node.daemonLog(), kept, StandardCopyOption.REPLACE_EXISTING);
            System.err.println("the daemon's log is kept in " + kept.toAbsolutePath());
        } catch (IOException e) {
            System.err.println("the daemon's log is lost: " + e);
        }
    }
}
