package io.berth.shim;

import com.google.protobuf.Empty;
import com.google.protobuf.Timestamp;
import io.berth.base.RuntimeFault;
import io.berth.linux.Inodes;
import io.berth.linux.PlatformThreads;
import io.berth.linux.Processes;
import io.berth.linux.Signals;
import io.berth.shim.v2.CreateTaskRequest;
import io.berth.shim.v2.CreateTaskResponse;
import io.berth.shim.v2.DeleteResponse;
import io.berth.shim.v2.KillRequest;
import io.berth.shim.v2.ProcessRequest;
import io.berth.shim.v2.ShutdownRequest;
import io.berth.shim.v2.StartResponse;
import io.berth.shim.v2.WaitResponse;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The shim of one pod: its process, the connection to it, the pod's own task. A shim whose connection breaks is asked for
 * again; one that is gone for good takes its containers with it, and whatever it has left is removed. Thread-safe.
 */
final class Shim {

    private static final Logger LOG = LoggerFactory.getLogger(Shim.class);
    /** A shim that breaks off more often than this in its life talks nonsense. */
    private static final int RECONNECTIONS = 3;
    private static final Duration WITHOUT_LIMIT = Duration.ofDays(365);

    private final ShimSite site;
    private final String sandboxId;
    private final Optional<ShimLog> log;
    private final Consumer<String> onDeath;
    private final Map<String, ShimContainer> members = new ConcurrentHashMap<>();
    private ShimRecord record;
    private ShimConnection connection;
    private int reconnections;
    private boolean begun;
    private volatile boolean ending;
    private volatile boolean dead;
    private volatile boolean outOfMemory;
    private volatile boolean keepsDeleted;

    /** @param onDeath told the id of the sandbox when the shim or the pod's own task has ended by itself */
    Shim(ShimSite site, String sandboxId, Consumer<String> onDeath) {
        this.site = site;
        this.sandboxId = sandboxId;
        this.onDeath = onDeath;
        this.log = Optional.of(new ShimLog(sandboxId, site.bundle(sandboxId)));
    }

    private Shim(ShimSite site, String sandboxId) {
        this.site = site;
        this.sandboxId = sandboxId;
        this.onDeath = id -> { };
        this.log = Optional.empty();
        this.dead = true;
    }

    /** Stands for one that is not there, so that what it may have left can be removed. */
    static Shim gone(ShimSite site, String sandboxId) {
        return new Shim(site, sandboxId);
    }

    /** Starts the shim and the pod's own task. */
    void start() {
        try {
            ShimAddress address = site.program().start(sandboxId);
            // On record before anything is asked of it: whatever follows, it can be found.
            note(ShimRecord.of(address, 0));
            connect();
            note(ShimRecord.of(address, calls().ping(sandboxId).getShimPid()));
            CreateTaskRequest.Builder request = CreateTaskRequest.newBuilder().setId(sandboxId)
                    .setBundle(site.bundle(sandboxId).toString());
            site.handler().taskOptions(site.paths().runcRoot()).ifPresent(request::setOptions);
            site.markGiven(sandboxId);
            calls().call("Create", request.build(), CreateTaskResponse.parser());
            calls().call("Start", own(), StartResponse.parser());
            watch();
            site.program().awaitTrial(() -> calls().ping(sandboxId));
            begin();
        } catch (RuntimeFault failure) {
            site.program().failTrial(failure);
            String words = lastWords();
            // What it answers says more than what it logs.
            boolean silent = failure.kind() == RuntimeFault.Kind.UNAVAILABLE
                    || failure.kind() == RuntimeFault.Kind.DEADLINE_EXCEEDED;
            throw silent && !words.isEmpty() ? new RuntimeFault(failure.kind(),
                    failure.getMessage() + "; the shim's log ends with: " + words, failure) : failure;
        }
    }

    /**
     * Takes up a shim that an earlier Berth has started.
     *
     * @throws RuntimeFault when it does not answer
     */
    void adopt(ShimRecord from) {
        record = from;
        connect();
        calls().ping(sandboxId);
        watch();
        begin();
    }

    // From here on somebody is told of its end. Before, whoever starts it hears of a failure and takes all of it back.
    private synchronized void begin() {
        calls();
        begun = true;
    }

    private ProcessRequest own() {
        return ProcessRequest.newBuilder().setId(sandboxId).build();
    }

    private String lastWords() {
        return log.map(ShimLog::lastWords).orElse("");
    }

    private synchronized void note(ShimRecord changed) {
        record = changed;
        changed.write(site.bundle(sandboxId));
    }

    /** As {@link #lost} for one that could not be taken up: there is nobody to tell yet. */
    void giveUp(String reason) {
        dead = true;
        LOG.atWarn().addKeyValue("pod", sandboxId).addKeyValue("reason", reason).log("shim is gone");
        endProcess();
    }

    private synchronized void connect() {
        connection = ShimConnection.to(record.address(), site.limit(), this::broken);
    }

    /** The connection for a call. */
    synchronized ShimConnection calls() {
        if (dead || connection == null) {
            throw new RuntimeFault(RuntimeFault.Kind.UNAVAILABLE, "ask the shim of sandbox " + sandboxId
                    + ": it has ended: stop the pod and run a new one");
        }
        return connection;
    }

    ShimSite site() {
        return site;
    }

    /** A container was deleted that the shim goes on to know: it will not end by itself. */
    void deletedPast() {
        keepsDeleted = true;
    }

    void join(ShimContainer container) {
        members.put(container.id(), container);
    }

    void leave(ShimContainer container) {
        members.remove(container.id());
    }

    /** Whether it answers now. */
    boolean answers() {
        try {
            calls().ping(sandboxId);
            return true;
        } catch (RuntimeFault silent) {
            return false;
        }
    }

    /** Whether it went because the kernel killed something of the pod for want of memory. */
    boolean ranOutOfMemory() {
        return outOfMemory;
    }

    boolean isDead() {
        return dead;
    }

    // The pod's own task ends only when it is told to, or with the virtual machine.
    private void watch() {
        ShimConnection watched = calls();
        Thread.ofVirtual().name("shim pod").start(() -> {
            try {
                watched.call("Wait", own(), WaitResponse.parser(), WITHOUT_LIMIT);
                lost("the pod's own container has ended");
            } catch (RuntimeFault failure) {
                if (!ShimConnection.isLost(failure)) {
                    lost(failure.getMessage());
                }
            }
        });
    }

    private void broken(RuntimeFault reason) {
        if (!ending && !dead) {
            Thread.ofVirtual().name("shim lost").start(() -> {
                if (!reconnected()) {
                    lost(reason.getMessage());
                }
            });
        }
    }

    private synchronized boolean reconnected() {
        if (++reconnections > RECONNECTIONS) {
            return false;
        }
        try {
            connection.close();
            connect();
            connection.ping(sandboxId);
            watch();
            members.values().forEach(ShimContainer::watch);
            return true;
        } catch (RuntimeFault gone) {
            return false;
        }
    }

    /** Gives the shim up: its process is ended, and all that it has left is removed. The pod cannot be used any more. */
    void lost(String reason) {
        boolean told;
        synchronized (this) {
            if (ending || dead) {
                return;
            }
            dead = true;
            told = begun;
        }
        // Before what counts it goes with what is removed now.
        outOfMemory = !site.handler().isRunc() && site.ranOutOfMemory(sandboxId, sandboxId);
        LOG.atWarn().addKeyValue("pod", sandboxId).addKeyValue("reason", reason).addKeyValue("words", lastWords())
                .log("shim lost, its containers are ended");
        endProcess();
        List.copyOf(members.values()).forEach(member -> member.endWithoutShim(reason));
        // Not on this thread: it may hold what the one that is told waits for.
        if (told) {
            Thread.ofVirtual().name("shim death").start(() -> onDeath.accept(sandboxId));
        }
    }

    /** Ends the pod's own task, then the shim, which goes when it has no task left. Whatever does not end is killed. */
    void stop() {
        ending = true;
        if (!dead && !endedByItself()) {
            dead = true;
        }
        endProcess();
        if (!site.isDeleted(sandboxId)) {
            site.deleteWithoutShim(sandboxId);
        }
        log.ifPresent(ShimLog::close);
    }

    private boolean endedByItself() {
        try {
            ShimConnection shim = calls();
            shim.ping(sandboxId);
            List.copyOf(members.values()).forEach(member -> member.awaitForgotten(ShimSite.END_LIMIT));
            ignoringUnknown(() -> shim.callSoon("Kill", KillRequest.newBuilder().setId(sandboxId).setSignal(Signals.KILL)
                    .setAll(true).build()));
            ignoringUnknown(() -> shim.call("Wait", own(), WaitResponse.parser(), ShimSite.END_LIMIT));
            ignoringUnknown(() -> shim.call("Delete", own(), DeleteResponse.parser(), ShimSite.END_LIMIT));
            site.markDeleted(sandboxId);
            shim.call("Shutdown", ShutdownRequest.newBuilder().setId(sandboxId).build(), Empty.parser(), ShimSite.END_LIMIT);
            return true;
        } catch (RuntimeFault failure) {
            // One that ends at once does not answer any more.
            if (!ShimConnection.isLost(failure)) {
                LOG.atWarn().addKeyValue("pod", sandboxId).addKeyValue("reason", failure.getMessage())
                        .log("shim does not end by itself, it is killed");
            }
            return ShimConnection.isLost(failure);
        }
    }

    private static void ignoringUnknown(Runnable call) {
        try {
            call.run();
        } catch (RuntimeFault fault) {
            if (!ShimConnection.isUnknown(fault)) {
                throw fault;
            }
        }
    }

    private void endProcess() {
        ShimRecord known;
        synchronized (this) {
            known = record;
            if (connection != null) {
                connection.close();
            }
        }
        if (known == null) {
            // The start failed, after it had perhaps left something behind.
            endUnnoted(site.paths(), sandboxId);
            return;
        }
        if (known.pid() > 0) {
            // It was told to end, unless it believes to have containers; it removes its socket itself then.
            if (dead || keepsDeleted || !awaitEnd(known)) {
                Processes.signal(known.pid(), known.startTicks(), Signals.KILL);
                awaitEnd(known);
            }
        }
        endUnnoted(site.paths(), sandboxId);
        removeSocket(known.address().socket());
    }

    private static boolean awaitEnd(ShimRecord shim) {
        return PlatformThreads.await(() -> Processes.awaitEnd(shim.pid(), shim.startTicks(), ShimSite.END_LIMIT));
    }

    /** Kills the processes of a shim that are known by their arguments alone. */
    static void endUnnoted(ShimPaths paths, String sandboxId) {
        ProcessHandle.allProcesses().filter(process -> process.info().arguments().map(List::of)
                .filter(words -> ShimProgram.isShimOf(words, sandboxId, paths.socket())).isPresent())
                .forEach(ProcessHandle::destroyForcibly);
    }

    // The path is the shim's word: nothing but a socket is removed.
    private static void removeSocket(Path socket) {
        try {
            int mode = (int) Files.getAttribute(socket, "unix:mode", LinkOption.NOFOLLOW_LINKS);
            if ((mode & Inodes.TYPE_MASK) == Inodes.SOCKET) {
                Files.deleteIfExists(socket);
            }
        } catch (IOException gone) {
            // As it should be.
        }
    }

    /** The epoch stands for now where a time is told. */
    static Timestamp now() {
        return Timestamp.getDefaultInstance();
    }
}
