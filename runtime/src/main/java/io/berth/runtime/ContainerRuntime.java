package io.berth.runtime;

import io.berth.base.RuntimeFault;
import io.berth.linux.CgroupUsage;
import io.berth.linux.Command;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * What runs containers for one handler and watches them: {@link MonitoredRuntime} by an OCI runtime's command line and
 * conmon, or a shim of containerd's. A container's bundle is a directory named by its id, with {@code config.json} in it.
 *
 * <p>Whoever watches a container writes its log, leaves a file {@code oom} in its bundle when the kernel killed it for want
 * of memory, and at its end a file named by its id among the exit files: the exit code, and in further lines what there is
 * to say of it. What it does while Berth is down, the implementations say. Thread-safe; every call is bounded in time.
 */
public interface ContainerRuntime {

    /**
     * A container to create.
     *
     * @param name what people call it
     * @param log the CRI log file; empty where no log is kept
     * @param terminal whether the process gets a terminal
     * @param stdin whether it gets an input that stays open for attach
     * @param stdinOnce whether its input ends with the first attached client
     */
    record NewContainer(String id, String sandboxId, String name, Path bundle, Optional<Path> log, boolean terminal,
            boolean stdin, boolean stdinOnce) {}

    /**
     * A container's first process.
     *
     * @param startTicks its start in clock ticks since boot, which tells it from a later process of that number
     */
    record FirstProcess(int pid, long startTicks) {}

    /**
     * A further process in a running container.
     *
     * @param process the OCI process object
     * @param stdin whether it gets an input
     */
    record NewProcess(String containerId, ObjectNode process, boolean stdin) {

        boolean terminal() {
            return process.path("terminal").asBoolean(false);
        }

        /** The failure of it that a runtime tells by {@code printed}. */
        RuntimeFault failure(String printed) {
            return RuntimeWords.fault("run " + process.path("args").path(0).asString("") + " in container " + containerId,
                    printed);
        }
    }

    RuntimeHandler handler();

    /** Creates the container; its program does not run before {@link #start}. */
    FirstProcess create(NewContainer container);

    /**
     * Runs the container's own program.
     *
     * @param pid its first process, 0 where that is not known
     */
    void start(String id, int pid);

    /** Sends {@code signal} to the first process; nothing happens when that has ended. */
    void signal(String id, FirstProcess process, int signal);

    /** Whether somebody watches the container, who will tell its end. */
    boolean isWatched(String id);

    /** The state ({@code created}, {@code running}, {@code stopped}), or empty when the runtime does not know it. */
    Optional<String> status(String id);

    /**
     * Whether the program of a created container has begun, also where nobody came to note that. A daemon that starts asks
     * this of every container that it does not know to run.
     *
     * @param pid its first process, which lives
     */
    default boolean hasBegun(String id, int pid) {
        return status(id).filter("running"::equals).isPresent();
    }

    /** Takes up the watch over a live container again that an earlier Berth created. */
    void adopt(NewContainer container);

    /** Ends the container, and removes what the runtime keeps of it; fine when it is unknown. */
    void delete(String id);

    /**
     * Removes what the runtime keeps of a container that has ended. The caller ends what is left in its cgroup and removes
     * that itself.
     */
    void deleteEnded(String id);

    /**
     * Sets new limits.
     *
     * @param resources the {@code linux.resources} object
     */
    void update(String id, ObjectNode resources);

    /** Makes the log be written to a fresh file, once the old one was moved away. */
    void reopenLog(String id);

    /** As for probes: runs a process to its end and keeps what it printed. */
    Command.Output run(NewProcess process, Duration limit, int outputBytes);

    /** Starts a process whose input and output the caller carries. The caller closes it. */
    RunningProcess exec(NewProcess process);

    /** Joins the input and output of the first process. The caller closes it. */
    Attachment attach(String id);

    /** What the container uses, where that cannot be read from its cgroup on this node, as for one in a virtual machine. */
    Optional<CgroupUsage> usage(String id);

    /** Who writes running containers to files and brings them back; empty where nobody can. */
    default Optional<Checkpoints> checkpoints() {
        return Optional.empty();
    }

    /** What the runtime says of itself by {@code features}; an empty object where it says nothing. */
    JsonNode features();

    /** Whether it knows a capability by its full name; one that it does not know, its containers do not get. */
    default boolean knowsCapability(String name) {
        return true;
    }

    /** Whether it knows a mount option. */
    boolean supportsMountOption(String option);

    /**
     * Whether its containers run on another kernel than the node's: in a virtual machine or on gVisor's. That has names,
     * users and perhaps a network stack of its own.
     */
    default boolean hasOwnKernel() {
        return false;
    }

    /** Whether its pods can have user namespaces: another kernel has users of its own, and maps none of them. */
    default boolean supportsUserNamespaces() {
        return !hasOwnKernel();
    }

    /**
     * Whether its containers may be told that they belong into the sandbox of their pod. One that makes a sandbox for each
     * container would look in vain for that of the pod.
     */
    default boolean joinsSandbox() {
        return true;
    }

    /** Who runs a container of each pod, and perhaps a virtual machine, before the pod's own; empty where nobody has to. */
    default Optional<SandboxTasks> sandboxes() {
        return Optional.empty();
    }

    /**
     * Something of this runtime and this instance that belongs to nobody.
     *
     * @param kind such as {@code monitor}
     * @param subject its id, path or process
     * @param action what {@code cure} does to it, such as {@code killed}
     */
    record Leftover(String kind, String subject, String action, Runnable cure) {}

    /** What is there of containers and sandboxes that are not known. Looks at all processes of the node. */
    List<Leftover> leftovers(Predicate<String> isContainer, Predicate<String> isSandbox);
}
