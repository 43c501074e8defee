package io.berth.server;

import io.berth.base.UnixTime;
import io.berth.image.ExplainImage;
import io.berth.image.ExportImage;
import io.berth.image.ImportImage;
import io.berth.image.Platform;
import io.berth.image.PullImage;
import io.berth.image.SharedPulls;
import io.berth.image.ShortNames;
import io.berth.linux.PlatformThreads;
import io.berth.linux.ServiceNotification;
import io.berth.pod.Node;
import io.berth.pod.PodVerbs;
import io.berth.pod.container.LostEnds;
import io.berth.pod.record.Container;
import io.berth.pod.record.Sandbox;
import io.berth.pod.sandbox.SandboxPool;
import io.berth.pod.stream.PodStreams;
import io.berth.server.config.ConfigFile;
import io.berth.server.console.Console;
import io.berth.server.console.ConsoleSources;
import io.berth.server.metrics.Metrics;
import io.berth.server.rpc.Answers;
import io.berth.server.rpc.BerthRpcs;
import io.berth.server.rpc.CallWatch;
import io.berth.server.rpc.ImageRpcs;
import io.berth.server.rpc.ImageTools;
import io.berth.server.rpc.NodeStatus;
import io.berth.server.rpc.RuntimeRpcs;
import io.berth.server.tracing.Tracing;
import io.berth.streaming.StreamingServer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The daemon from its start to its end. Containers are not its children: they live on when it ends. */
public final class Daemon implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(Daemon.class);
    private static final Duration LOST_ENDS_PERIOD = Duration.ofSeconds(10);
    private static final Duration RECONCILE_PERIOD = Duration.ofMinutes(1);

    private final InstanceLock rootLock;
    private final InstanceLock stateLock;
    private final Wiring wiring;
    private final Node node;
    private final SandboxPool pool;
    private final SocketServer server;
    private final StreamingServer streaming;
    private final Optional<Metrics> metrics;
    private final Optional<Tracing> tracing;
    private final Optional<Console> console;
    private final List<Thread> watches;
    private final CountDownLatch ended = new CountDownLatch(1);

    private Daemon(InstanceLock rootLock, InstanceLock stateLock, Wiring wiring, Node node, SandboxPool pool,
            SocketServer server, StreamingServer streaming, Optional<Metrics> metrics, Optional<Tracing> tracing,
            Optional<Console> console, List<Thread> watches) {
        this.rootLock = rootLock;
        this.stateLock = stateLock;
        this.wiring = wiring;
        this.node = node;
        this.pool = pool;
        this.server = server;
        this.streaming = streaming;
        this.metrics = metrics;
        this.tracing = tracing;
        this.console = console;
        this.watches = watches;
    }

    /** Starts: locks its directories, recovers what is there, then listens. */
    public static Daemon start(ConfigFile.Loaded loaded) {
        long from = System.nanoTime();
        var config = loaded.config();
        InstanceLock rootLock = InstanceLock.take(config.root());
        InstanceLock stateLock = InstanceLock.take(config.state());
        HttpLimits.set();
        Optional<Metrics> metrics = config.metricsAddress().map(address -> Metrics.serve(address, version()));
        Wiring wiring = new Wiring(config, step -> metrics.ifPresent(each -> each.step(step)));
        Node node = wiring.node();
        metrics.ifPresent(each -> each.show(node));
        PodVerbs verbs = PodVerbs.of(node);
        if (Boolean.getBoolean(RehearseCni.PROPERTY)) {
            RehearseCni.run(config.state().resolve("rehearsal"));
        }
        wiring.extensions().listen(node);
        node.exits().start();
        verbs.recover().run();
        wiring.startPlugins(node, verbs);
        NodeStatus status = new NodeStatus(node, version(), loaded.effective(),
                () -> Map.of("extensions", wiring.extensions().states(), "nriPlugins", wiring.plugins()));
        metrics.ifPresent(each -> each.show(wiring.extensions(), wiring::plugins));
        Optional<Tracing> tracing = config.tracing().map(wanted -> Tracing.start(wanted.otlpEndpoint(), wanted.samplingRatio(),
                wanted.serviceName(), version(), HostName.here()));
        // No references to methods: they would link the class, and with it the library, also where nothing is traced.
        metrics.ifPresent(each -> tracing.ifPresent(traces -> each.show(traces)));
        Answers answers = new Answers(metrics.isEmpty() && tracing.isEmpty() ? CallWatch.NONE : new DaemonCalls(metrics, tracing));
        StreamingServer streaming = new StreamingServer(wiring.streamingSettings(), new PodStreams(node),
                Executors.newVirtualThreadPerTaskExecutor());
        PullImage pull = new PullImage(node.images(), wiring.pullOptions(), wiring.extensions());
        pull.bringsMissingBlobs();
        SharedPulls pulls = new SharedPulls(pull);
        metrics.ifPresent(each -> each.show(pulls));
        Optional<Console> console = config.console().map(address -> Console.start(address, new ConsoleSources(node, config,
                pulls, verbs.reconcile(), HostName.here(), version(), UnixTime.now())));
        SocketServer server = SocketServer.start(config.grpc(), List.of(
                new RuntimeRpcs(node, verbs, status, streaming, answers),
                new ImageRpcs(node, pulls, new ShortNames(wiring.pullOptions()), answers),
                new BerthRpcs(node, new ImportImage(node.images(), Platform.host(), wiring.extensions()),
                        new ImageTools(node, pulls, new ExplainImage(wiring.pullOptions()), new ExportImage(pull)), status,
                        verbs.reconcile(), answers)),
                tracing.map(each -> each.incoming()));
        Thread lostEnds = new LostEnds(node).watch(LOST_ENDS_PERIOD);
        // Layers that were in use when their image was removed, and what broken pulls left.
        PlatformThreads.executor().execute(verbs.reconcile()::sweep);
        Thread reconcile = verbs.reconcile().watch(RECONCILE_PERIOD);
        // What the first Status would have to ask of the runtimes' programs.
        PlatformThreads.executor().execute(() -> node.runtimes().values().forEach(runtime -> runtime.features()));
        LOG.atInfo().addKeyValue("socket", config.grpc().address()).addKeyValue("root", config.root())
                .addKeyValue("runtime", node.settings().defaultHandler())
                .addKeyValue("sandboxes", node.inventory().sandboxes().stream().filter(Sandbox::isShown).count())
                .addKeyValue("running", node.inventory().containers().stream().filter(Container::isLive).count())
                .addKeyValue("ms", (System.nanoTime() - from) / 1_000_000).log("serving");
        ServiceNotification.send("READY=1");
        verbs.pool().start();
        List<Thread> watches = new ArrayList<>(List.of(lostEnds, reconcile));
        Watchdog.start(config.grpc().address()).ifPresent(watches::add);
        return new Daemon(rootLock, stateLock, wiring, node, verbs.pool(), server, streaming, metrics, tracing, console, watches);
    }

    /** The version that was built in. */
    public static String version() {
        String version = Daemon.class.getPackage().getImplementationVersion();
        return version == null ? "0.1.0" : version;
    }

    /** Waits until {@link #close} has ended. */
    public void await() throws InterruptedException {
        ended.await();
    }

    /** Ends serving; containers run on. */
    @Override
    public void close() {
        ServiceNotification.send("STOPPING=1");
        // Before the server, which waits for calls to end: these would go on for ever.
        console.ifPresent(Console::close);
        node.events().close();
        watches.forEach(Thread::interrupt);
        server.close();
        streaming.close();
        pool.close();
        wiring.stopPlugins();
        tracing.ifPresent(each -> each.close());
        metrics.ifPresent(Metrics::close);
        wiring.stopShimEvents();
        wiring.stopSnapshotters();
        node.exits().close();
        node.network().close();
        stateLock.close();
        rootLock.close();
        LOG.atInfo().log("ended, containers run on");
        ended.countDown();
    }
}
