package io.berth.cli.scratch;

import io.berth.base.RandomId;
import io.berth.base.RuntimeFault;
import io.berth.linux.Cgroups;
import io.berth.linux.Mounts;
import io.berth.linux.Netlink;
import io.berth.linux.Nftables;
import io.berth.linux.PlatformThreads;
import io.berth.network.builtin.BuiltinNetwork;
import io.berth.network.builtin.BuiltinSettings;
import io.berth.network.builtin.Subnet;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/**
 * The place of a daemon that lives only for a demo or a test: a temporary directory, a bridge with a subnet of its own,
 * a cgroup. Several exist beside each other and beside the node's real runtime. Immutable; {@link #tearDown} ends it.
 *
 * @param directory holds all files
 * @param name in the names of directory, bridge and cgroup
 */
public record ScratchNode(Path directory, String name, Subnet subnet) {

    private static final Duration KERNEL_PATIENCE = Duration.ofSeconds(5);

    /** Makes the directory and the configuration: built-in network, sockets and files below the directory. */
    public static ScratchNode create() {
        String name = "berth-" + RandomId.hex(3);
        // Short, because the paths of unix sockets are.
        ScratchNode node = new ScratchNode(Path.of(System.getProperty("java.io.tmpdir"), name), name, FreeSubnet.find());
        try {
            Files.createDirectory(node.directory);
            Files.writeString(node.config(), """
                    [runtime]
                    network = "builtin"
                    default_cgroup_parent = "%s"

                    [runtime.builtin_network]
                    bridge = "%s"
                    subnet = "%s"

                    [nri]
                    socket_path = "%s"
                    plugin_path = "%s"
                    plugin_config_path = "%s"
                    """.formatted(node.cgroup(), node.bridge(), node.subnet, node.nriSocket(),
                    node.directory.resolve("nri/plugins"), node.directory.resolve("nri/conf.d")));
        } catch (IOException e) {
            throw RuntimeFault.internal("make " + node.directory + ": " + RuntimeFault.reason(e), e);
        }
        return node;
    }

    public Path root() {
        return directory.resolve("root");
    }

    public Path state() {
        return directory.resolve("state");
    }

    public Path socket() {
        return directory.resolve("berth.sock");
    }

    /** Where NRI plugins connect. */
    public Path nriSocket() {
        return directory.resolve("nri/nri.sock");
    }

    /** The configuration file; a drop-in goes into config.d beside it. */
    public Path config() {
        return directory.resolve("config.toml");
    }

    /** Where logs of containers may go. */
    public Path logs() {
        return directory.resolve("logs");
    }

    /** The daemon's own output. */
    public Path daemonLog() {
        return directory.resolve("daemon.log");
    }

    public String bridge() {
        return name;
    }

    public String cgroup() {
        return "/" + name;
    }

    /** Starts a daemon here and waits for its answer. */
    public DaemonProcess start() {
        return start(List.of());
    }

    /** As {@link #start()}, with further options of its Java machine. */
    public DaemonProcess start(List<String> javaOptions) {
        return start(javaOptions, Map.of());
    }

    /** As {@link #start(List)}, with further variables of its environment. */
    public DaemonProcess start(List<String> javaOptions, Map<String, String> environment) {
        return DaemonProcess.start(arguments(), socket(), daemonLog(), javaOptions, environment);
    }

    /** As {@link #start()}, with the daemon of another build, whose launcher is named. */
    public DaemonProcess startBy(Path launcher) {
        return DaemonProcess.startBy(launcher, arguments(), socket(), daemonLog());
    }

    private List<String> arguments() {
        return List.of("--config", config().toString(), "--root", root().toString(), "--state", state().toString(), "--socket",
                socket().toString());
    }

    /** What pods have here now. */
    public Traces podTraces(Optional<DaemonProcess> daemon) {
        return Traces.ofPods(this, daemon.map(process -> Set.of(process.pid())).orElse(Set.of()));
    }

    /** As {@link #podTraces}, with some patience: the kernel takes an interface away a moment after its namespace. */
    public Traces podTracesAtRest(Optional<DaemonProcess> daemon) {
        long deadline = System.nanoTime() + KERNEL_PATIENCE.toNanos();
        Traces traces = podTraces(daemon);
        while (!traces.isEmpty() && System.nanoTime() < deadline) {
            try {
                Thread.sleep(20);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                return traces;
            }
            traces = podTraces(daemon);
        }
        return traces;
    }

    /** Removes what outlives a daemon by design: bridge, firewall table, cgroup, directory. Pods must be gone. */
    public void tearDown() {
        BuiltinNetwork.open(networkSettings()).teardown();
        Cgroups.detect().remove(cgroup());
        deleteDirectory();
    }

    /** Ends and removes everything of this node, whatever state it is in: for an end by failure or by Ctrl-C. */
    public void destroy() {
        Cgroups.detect().kill(cgroup());
        for (String process : Traces.processes(this, Set.of())) {
            ProcessHandle.of(Long.parseLong(process.split(" ")[0])).ifPresent(ProcessHandle::destroyForcibly);
        }
        Mounts.at(directory).forEach(Mounts::unmount);
        if (Files.isDirectory(directory)) {
            tearDown();
        }
    }

    /** What is left of the node itself after {@link #tearDown}: nothing, one hopes. */
    public List<String> leftovers() {
        List<String> left = new ArrayList<>(podTraces(Optional.empty()).lines());
        if (Files.exists(directory)) {
            left.add("directory: " + directory);
        }
        if (Files.exists(Path.of("/sys/class/net", bridge()))) {
            left.add("bridge: " + bridge());
        }
        if (!Traces.cgroups(this).isEmpty()) {
            left.add("cgroup: " + cgroup());
        }
        String table = networkSettings().table();
        if (PlatformThreads.call(() -> tableExists(table))) {
            left.add("firewall table: " + table);
        }
        return left;
    }

    private static boolean tableExists(String table) {
        try (Netlink netfilter = Netlink.netfilter()) {
            return new Nftables(netfilter, Nftables.Family.IPV4, table).exists();
        }
    }

    // The daemon derives the instance's name from the bridge's in the same way.
    private BuiltinSettings networkSettings() {
        return new BuiltinSettings(bridge().replaceAll("[^A-Za-z0-9_]", "_"), bridge(), subnet, Optional.empty(), 0, true,
                true, state());
    }

    private void deleteDirectory() {
        // Never through a mount: what is mounted here may be somebody's files.
        List<Path> mounted = Mounts.at(directory);
        if (!mounted.isEmpty()) {
            throw RuntimeFault.precondition("remove " + directory + ": still mounted: " + mounted);
        }
        try (Stream<Path> all = Files.walk(directory)) {
            for (Path path : (Iterable<Path>) all.sorted(Comparator.reverseOrder())::iterator) {
                Files.deleteIfExists(path);
            }
        } catch (IOException e) {
            throw RuntimeFault.internal("remove " + directory + ": " + RuntimeFault.reason(e), e);
        }
    }
}
