package io.berth.nri;

import io.berth.base.RuntimeFault;
import io.berth.nri.v1.ContainerUpdate;
import io.berth.nri.v1.Event;
import io.berth.nri.v1.UpdateContainersRequest;
import io.berth.nri.v1.UpdateContainersResponse;
import java.io.IOException;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The plugins: those that have been told of all that runs and take part, and those on their way there.
 *
 * <p>An event holds the lock while plugins are called for it; a new plugin is told of what runs and takes its place under the
 * same lock. So for it each event is either in what it is told first or comes afterwards, never both and never neither.
 */
final class PluginSet implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(PluginSet.class);
    /** Connections that are not registered yet; root makes them, so this guards against mistakes. */
    private static final int UNREGISTERED_LIMIT = 16;
    private static final Duration SHUTDOWN = Duration.ofMillis(500);

    private final NriSettings settings;
    private final NriRuntime runtime;
    private final Supplier<NriRuntime.State> state;
    private final ReentrantLock events = new ReentrantLock(true);
    private final Set<Plugin> onTheirWay = ConcurrentHashMap.newKeySet();
    private final Object membership = new Object();
    private volatile List<Plugin> members = List.of();
    private volatile boolean closed;
    private Optional<PluginListener> listener = Optional.empty();

    PluginSet(NriSettings settings, NriRuntime runtime, Supplier<NriRuntime.State> state) {
        this.settings = settings;
        this.runtime = runtime;
        this.state = state;
    }

    /** The right to relay an event. */
    interface Held extends AutoCloseable {
        @Override
        void close();
    }

    /** Waits until no other event is being relayed and no plugin is being told what runs. */
    Held hold() {
        events.lock();
        return events::unlock;
    }

    List<Plugin> all() {
        return members;
    }

    List<Plugin> wanting(Event event) {
        return members.isEmpty() ? members : members.stream().filter(plugin -> plugin.wants(event)).toList();
    }

    void start() {
        try {
            Files.createDirectories(settings.runDirectory());
            Files.setPosixFilePermissions(settings.runDirectory(), PosixFilePermissions.fromString("rwx------"));
        } catch (IOException e) {
            throw RuntimeFault.internal("make " + settings.runDirectory() + ": " + RuntimeFault.reason(e), e);
        }
        new InstalledPlugins(settings).start((process, config) ->
                admit(new Plugin(process.channel(), Optional.of(process), config, this::update, this::remove)));
        if (settings.acceptConnections()) {
            listen();
        }
    }

    private void listen() {
        try {
            listener = Optional.of(PluginListener.start(settings.socketPath(), this::connected));
        } catch (RuntimeFault fault) {
            // Pods run without plugins; which of two runtimes plugins belong to is the operator's decision.
            LOG.atError().setCause(fault).log("NRI plugins cannot connect");
        }
    }

    private void connected(SocketChannel channel) {
        if (closed || onTheirWay.size() >= UNREGISTERED_LIMIT) {
            LOG.atWarn().log("connection of an NRI plugin refused: too many have not registered yet");
            try {
                channel.close();
            } catch (IOException e) {
                LOG.atDebug().setCause(e).log("close refused connection");
            }
            return;
        }
        Plugin plugin = new Plugin(channel, Optional.empty(), "", this::update, this::remove);
        onTheirWay.add(plugin);
        Thread.ofVirtual().name("nri registration").start(() -> admit(plugin));
    }

    private void admit(Plugin plugin) {
        try {
            plugin.begin(settings);
            try (Held held = hold()) {
                NriRuntime.State known = state.get();
                // Part of the registration, and longer than an event's limit: a plugin may have much to take up.
                List<ContainerUpdate> updates = plugin.synchronize(known.pods(), known.containers(),
                        settings.registrationTimeout());
                join(plugin);
                runtime.update(updates).forEach(failed -> LOG.atWarn().addKeyValue("plugin", plugin.name())
                        .addKeyValue("container", failed.getContainerId()).log("update of an NRI plugin failed"));
            }
            LOG.atInfo().addKeyValue("plugin", plugin.name()).log("NRI plugin takes part");
        } catch (RuntimeException fault) {
            LOG.atError().setCause(fault).log("NRI plugin does not take part");
            plugin.close();
        } finally {
            onTheirWay.remove(plugin);
        }
    }

    private void join(Plugin plugin) {
        synchronized (membership) {
            List<Plugin> more = new ArrayList<>(members);
            more.add(plugin);
            // Stable: among equals who came first is called first.
            more.sort(Comparator.comparing(each -> each.fullName().index()));
            members = List.copyOf(more);
            if (closed || plugin.isClosed()) {
                remove(plugin);
            }
        }
        if (closed) {
            plugin.close();
        }
    }

    private void remove(Plugin plugin) {
        onTheirWay.remove(plugin);
        synchronized (membership) {
            members = members.stream().filter(each -> each != plugin).toList();
        }
    }

    /** What a plugin asks for by itself. */
    private UpdateContainersResponse update(Plugin plugin, UpdateContainersRequest request) {
        try {
            // Not for ever: who calls this while it answers an event would wait for itself.
            if (!events.tryLock(settings.requestTimeout().toNanos(), TimeUnit.NANOSECONDS)) {
                throw new RuntimeFault(RuntimeFault.Kind.UNAVAILABLE, "update containers: another event is being worked on");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new RuntimeFault(RuntimeFault.Kind.CANCELLED, "update containers: interrupted", e);
        }
        List<ContainerUpdate> failed;
        try {
            // Looked up only now: a plugin that has just been told what runs joins before its lock is given back.
            if (!members.contains(plugin)) {
                throw RuntimeFault.precondition("update containers: NRI plugin " + plugin.name() + " does not take part yet");
            }
            failed = runtime.update(request.getUpdateList());
        } finally {
            events.unlock();
        }
        request.getEvictList().forEach(each -> runtime.evict(each, plugin.name()));
        return UpdateContainersResponse.newBuilder().addAllFailed(failed).build();
    }

    @Override
    public void close() {
        List<Plugin> last;
        synchronized (membership) {
            closed = true;
            last = members;
        }
        listener.ifPresent(PluginListener::close);
        onTheirWay.forEach(Plugin::close);
        try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
            last.forEach(plugin -> threads.execute(() -> plugin.shutDown(SHUTDOWN)));
        }
    }
}
