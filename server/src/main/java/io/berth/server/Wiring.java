package io.berth.server;

import io.berth.base.KeyedLocks;
import io.berth.base.RuntimeFault;
import io.berth.base.Timeline;
import io.berth.image.Images;
import io.berth.image.PullOptions;
import io.berth.image.Unpacker;
import io.berth.image.Unpackers;
import io.berth.linux.Cgroups;
import io.berth.linux.Command;
import io.berth.linux.Selinux;
import io.berth.network.PodNetwork;
import io.berth.network.builtin.BuiltinNetwork;
import io.berth.network.builtin.BuiltinSettings;
import io.berth.network.builtin.Subnet;
import io.berth.network.cni.CniNetwork;
import io.berth.network.cni.CniSettings;
import io.berth.network.cni.FormerRecords;
import io.berth.nri.NriSettings;
import io.berth.nri.ValidatorSettings;
import io.berth.pod.Directories;
import io.berth.pod.Node;
import io.berth.pod.NodeSettings;
import io.berth.pod.PodVerbs;
import io.berth.pod.blockio.BlockioClasses;
import io.berth.pod.container.Exits;
import io.berth.pod.events.ContainerEvents;
import io.berth.pod.ocihook.OciHooks;
import io.berth.pod.rdt.RdtClasses;
import io.berth.pod.record.Inventory;
import io.berth.pod.spec.ContainerSpec;
import io.berth.pod.spec.SelinuxLabels;
import io.berth.pod.spec.SpecSettings;
import io.berth.runtime.ConmonMonitor;
import io.berth.runtime.ContainerRuntime;
import io.berth.runtime.MonitoredRuntime;
import io.berth.runtime.OciRuntime;
import io.berth.runtime.RuntimeHandler;
import io.berth.runtime.SeccompDefault;
import io.berth.server.config.Config;
import io.berth.server.extension.Extensions;
import io.berth.server.nri.NriHooks;
import io.berth.shim.ShimEvents;
import io.berth.shim.ShimHandler;
import io.berth.shim.ShimPaths;
import io.berth.shim.ShimRuntime;
import io.berth.server.snapshotter.GrpcSnapshots;
import io.berth.server.snapshotter.LayerSink;
import io.berth.snapshot.ProxySnapshots;
import io.berth.snapshot.Snapshots;
import io.berth.snapshot.Snapshotter;
import io.berth.snapshot.Snapshotters;
import io.berth.store.FileRecordStore;
import io.berth.streaming.StreamingSettings;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.stream.Stream;

/** Makes a {@link Node} from the configuration: the one place where the parts meet. */
final class Wiring {

    /** How long a CNI plugin may take. Tests of plugins that hang do not wait for so long. */
    private static final Duration PLUGIN_LIMIT = Duration.ofMillis(Long.getLong("berth.cni.limit.millis", 120_000));

    private final Config config;
    private final Consumer<Timeline.Step> steps;
    private final Directories directories;
    private final Cgroups cgroups = Cgroups.detect();
    private final NriHooks hooks = new NriHooks();
    private final Extensions extensions;
    private final List<GrpcSnapshots> proxies = new ArrayList<>();
    private Optional<ShimEvents> events = Optional.empty();

    /** @param steps told of each step of an operation */
    Wiring(Config config, Consumer<Timeline.Step> steps) {
        this.config = config;
        this.steps = steps;
        this.directories = new Directories(config.root(), config.state());
        this.extensions = Extensions.load(config.extensions(), config.root().resolve("extension-events"));
    }

    Node node() {
        try {
            // Users of pods with a user namespace have to pass through to their root file system, but list nothing.
            for (Path passable : List.of(directories.root(), directories.state(), directories.containers(),
                    directories.sandboxes())) {
                Files.createDirectories(passable);
                Files.setPosixFilePermissions(passable, PosixFilePermissions.fromString("rwx--x--x"));
            }
            Files.createDirectories(directories.records());
            Files.setPosixFilePermissions(directories.records(), PosixFilePermissions.fromString("rwx------"));
        } catch (IOException e) {
            throw RuntimeFault.internal("make " + directories.state() + ": " + RuntimeFault.reason(e), e);
        }
        Map<String, ContainerRuntime> runtimes = runtimes();
        NodeSettings settings = settings(runtimes);
        Inventory inventory = new Inventory(new FileRecordStore(directories.records()));
        Snapshotters snapshotters = snapshotters();
        Images images = new Images(directories.root(), unpackers(snapshotters),
                name -> config.images().pinned().contains(name));
        Exits exits = new Exits(directories.exits(), directories.containers(), inventory, cgroups);
        ContainerEvents events = new ContainerEvents(inventory);
        exits.onExit(container -> {
            events.stopped(container);
            hooks.ended(container);
        });
        return new Node(directories, settings, inventory, images, snapshotters, network(), runtimes, cgroups,
                new ContainerSpec(cgroups, SeccompDefault.load(), specSettings()), exits, events,
                new Timeline(steps), new KeyedLocks<>(), hooks,
                new SelinuxLabels(Selinux.ofThisMachine(), config.runtime().selinux()));
    }

    /** Begins to let plugins take part, where that is wanted; after recovery, which is not theirs to see. */
    void startPlugins(Node node, PodVerbs verbs) {
        extensions.tell();
        var nri = config.nri();
        if (nri.disable()) {
            return;
        }
        var validator = nri.validator();
        hooks.start(node, verbs, new NriSettings("berth", Daemon.version(), nri.socketPath(), !nri.disableConnections(),
                nri.pluginPath(), nri.pluginConfigPath(), nri.registrationTimeout(), nri.requestTimeout(),
                new ValidatorSettings(validator.enable(), validator.rejectOciHooks(), validator.rejectRuntimeDefaultSeccomp(),
                        validator.rejectUnconfinedSeccomp(), validator.rejectCustomSeccomp(), validator.rejectNamespaces(),
                        validator.rejectSysctls(), validator.requiredPlugins(), validator.tolerateMissingAnnotation()),
                directories.state().resolve("nri")));
    }

    void stopPlugins() {
        hooks.close();
        extensions.close();
    }

    private Snapshotters snapshotters() {
        Snapshots builtIn = new Snapshots(directories.root());
        Map<String, Snapshotter> byName = new TreeMap<>(Map.of(Snapshotters.BUILT_IN, builtIn));
        config.proxySnapshotters().forEach((name, socket) -> {
            GrpcSnapshots calls = new GrpcSnapshots(name, socket);
            proxies.add(calls);
            byName.put(name, new ProxySnapshots(name, directories.root(), calls));
        });
        return new Snapshotters(builtIn, config.images().snapshotter(), byName);
    }

    private static Unpackers unpackers(Snapshotters snapshotters) {
        Map<String, Unpacker> byName = new TreeMap<>();
        snapshotters.byName().forEach((name, snapshotter) -> byName.put(name, new LayerSink(snapshotter)));
        return new Unpackers(snapshotters.usual(), byName);
    }

    /** Calls no snapshotter any more. */
    void stopSnapshotters() {
        proxies.forEach(GrpcSnapshots::close);
    }

    /** Hears no more events of shims. */
    void stopShimEvents() {
        events.ifPresent(ShimEvents::close);
    }

    Extensions extensions() {
        return extensions;
    }

    /** The names of the NRI plugins that take part. */
    List<String> plugins() {
        return hooks.pluginNames();
    }

    PullOptions pullOptions() {
        var images = config.images();
        return PullOptions.defaults().withStallLimit(images.pullProgressTimeout())
                .withConcurrency(images.maxConcurrentDownloads(), images.maxConcurrentRanges())
                .withDiscardUnpacked(images.discardUnpackedLayers())
                .withFiles(new PullOptions.Files(Optional.of(images.registryConfigPath()),
                        Optional.of(images.registriesFile()), Optional.of(images.credentialsFile()),
                        Optional.of(images.policyFile())));
    }

    StreamingSettings streamingSettings() {
        StreamingSettings usual = StreamingSettings.defaults();
        var tls = config.streaming().keyPair().map(pair -> new StreamingSettings.Tls(pair.certificate(), pair.key()));
        return new StreamingSettings(config.streaming().address(), config.streaming().port(), usual.baseUrl(), tls,
                config.streaming().idleTimeout(), usual.streamCreationTimeout(), usual.tokenLifetime(), usual.maxTokens());
    }

    private NodeSettings settings(Map<String, ContainerRuntime> runtimes) {
        var runtime = config.runtime();
        String handler = runtime.defaultRuntimeName().isEmpty() ? preferred(runtimes) : runtime.defaultRuntimeName();
        if (!runtimes.containsKey(handler)) {
            throw RuntimeFault.precondition("use " + handler + " by default: there is no such handler, only "
                    + runtimes.keySet() + ": install it, or add [runtime.runtimes." + handler + "] to the configuration");
        }
        return new NodeSettings(handler, runtime.defaultCgroupParent(), runtimes.get(handler).handler().systemdCgroup(),
                runtime.unprivilegedPorts(), runtime.unprivilegedIcmp(), runtime.shmBytes(),
                runtime.checkpoints(), runtime.checkpointImages(), runtime.sandboxPool(), Optional.empty());
    }

    private SpecSettings specSettings() {
        var runtime = config.runtime();
        return new SpecSettings(runtime.restrictOomScoreAdj() || !mayLowerOomScore(), runtime.seccompProfileRoot(),
                runtime.unsetSeccompProfile(), runtime.cdiSpecDirs(),
                new BlockioClasses(runtime.blockioConfigFile(), runtime.ignoreBlockioNotEnabled()),
                new RdtClasses(RdtClasses.RESCTRL, runtime.ignoreRdtNotEnabled()),
                new OciHooks(runtime.hooksDirs()));
    }

    // CAP_SYS_RESOURCE is bit 24.
    private static boolean mayLowerOomScore() {
        try (Stream<String> lines = Files.lines(Path.of("/proc/self/status"))) {
            return lines.filter(line -> line.startsWith("CapEff:"))
                    .anyMatch(line -> (Long.parseUnsignedLong(line.substring(7).strip(), 16) & 1L << 24) != 0);
        } catch (IOException e) {
            throw RuntimeFault.internal("read own capabilities: " + RuntimeFault.reason(e), e);
        }
    }

    private PodNetwork network() {
        var runtime = config.runtime();
        return switch (runtime.network()) {
            case CNI -> {
                // In root: plugins keep their addresses over a restart of the machine, and a record says how to give them back.
                CniSettings settings = new CniSettings(runtime.cni().confDir(), runtime.cni().binDirs(),
                        runtime.cni().maxConfNum(), directories.root(), PLUGIN_LIMIT, false);
                FormerRecords.move(directories.state().resolve("cni"), settings);
                yield new CniNetwork(settings);
            }
            case BUILTIN -> BuiltinNetwork.open(new BuiltinSettings(instance(), runtime.builtin().bridge(),
                    Subnet.parse(runtime.builtin().subnet()), Optional.empty(), 0, runtime.builtin().masquerade(), true,
                    directories.state()));
            case EXTENSION -> extensions.network(directories.root().resolve("extension-network"));
        };
    }

    // Bridges are unique on a machine, so their names tell instances apart.
    private String instance() {
        return config.runtime().builtin().bridge().replaceAll("[^A-Za-z0-9_]", "_");
    }

    private Map<String, ContainerRuntime> runtimes() {
        Map<String, ContainerRuntime> runtimes = new TreeMap<>();
        if (config.runtime().runtimes().isEmpty()) {
            for (String name : List.of("runc", "crun")) {
                find(name).ifPresent(path -> runtimes.put(name, monitored(RuntimeHandler.plain(name, path), "")));
            }
        }
        config.runtime().runtimes().forEach((name, handler) -> runtimes.put(name, runtime(name, handler)));
        if (runtimes.isEmpty()) {
            throw RuntimeFault.precondition("find an OCI runtime: neither runc nor crun is in PATH:"
                    + " install one or name it in [runtime.runtimes.NAME]");
        }
        return runtimes;
    }

    private ContainerRuntime runtime(String name, Config.Handler handler) {
        RuntimeHandler known = new RuntimeHandler(name, program(handler.path(), "runtime handler " + name),
                handler.systemdCgroup(), handler.privileged(), handler.arguments(), handler.annotations(), handler.baseSpec(),
                handler.snapshotter());
        return handler.isShim() ? shim(known, handler) : monitored(known, handler.monitor());
    }

    // The handler's own monitor, else the node's, which a node whose containers are all behind shims need not have.
    private ContainerRuntime monitored(RuntimeHandler handler, String own) {
        ConmonMonitor monitor = new ConmonMonitor(own.isEmpty() ? program(config.runtime().conmon(), "conmon")
                : program(own, "the monitor of handler " + handler.name()), directories.exits());
        return new MonitoredRuntime(new OciRuntime(handler, directories.runtimeState(handler.name())), monitor,
                directories.containers());
    }

    private ContainerRuntime shim(RuntimeHandler known, Config.Handler handler) {
        var options = handler.shim();
        ShimHandler shim = new ShimHandler(known, handler.type(), new ShimHandler.Options(options.binaryName(),
                options.noPivotRoot(), options.noNewKeyring(), options.shimCgroup(), options.typeUrl(), options.configPath()));
        ShimPaths paths = new ShimPaths(directories.containers(), directories.exits(), directories.runtimeState(known.name()),
                directories.shimEvents());
        if (events.isEmpty()) {
            events = Optional.of(ShimEvents.listen(paths));
        }
        String runc = options.binaryName().isEmpty() ? "runc" : options.binaryName();
        Optional<OciRuntime> oci = shim.isRunc() ? Optional.of(new OciRuntime(new RuntimeHandler(known.name(),
                program(runc, "the OCI runtime of handler " + known.name()), known.systemdCgroup(), known.privileged(), List.of(),
                known.annotations(), known.baseSpec(), known.snapshotter()), paths.runcState())) : Optional.empty();
        return new ShimRuntime(shim, paths, cgroups, oci);
    }

    // crun is the faster one, but refuses cgroup layouts of version 1 in which the hugetlb controller is not mounted.
    private String preferred(Map<String, ContainerRuntime> runtimes) {
        boolean crunWorks = cgroups.isUnified() || cgroups.has("hugetlb");
        if (runtimes.containsKey("crun") && (crunWorks || !runtimes.containsKey("runc"))) {
            return "crun";
        }
        return runtimes.containsKey("runc") ? "runc" : runtimes.keySet().iterator().next();
    }

    private static Path program(String name, String what) {
        return find(name).orElseThrow(() -> RuntimeFault.precondition("find " + what + ": there is no program " + name
                + (name.startsWith("/") ? "" : " in PATH") + ": install it or correct its path in the configuration"));
    }

    private static Optional<Path> find(String name) {
        if (name.startsWith("/")) {
            return Optional.of(Path.of(name)).filter(Files::isExecutable);
        }
        return Stream.of(Command.searchPath().split(":")).map(directory -> Path.of(directory, name))
                .filter(Files::isExecutable).findFirst();
    }
}
