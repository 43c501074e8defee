package io.berth.pod.record;

import io.berth.cri.v1.ContainerConfig;
import io.berth.cri.v1.LinuxContainerResources;
import io.berth.cri.v1.Mount;
import io.berth.runtime.ContainerRuntime;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * A container. Immutable; each change is a new record that {@link Inventory} persists and publishes. Times are nanoseconds
 * since the epoch, 0 where something has not happened.
 *
 * @param config as the client gave it
 * @param imageId the id of the image that it runs
 * @param imageRef the image by digest, as a registry knows it
 * @param cgroup its group's path
 * @param logPath its log file, empty where no log is kept
 * @param stopSignal the number of the signal that asks it to end
 * @param user whom its process runs as
 * @param mounts as they were made: real host paths, digests of image volumes
 * @param resources its limits now, after updates
 * @param init its first process
 * @param restore where it is made from a checkpoint and not from an image alone
 */
public record Container(String id, String sandboxId, ContainerConfig config, String imageId, String imageRef,
        String handler, String cgroup, Optional<Path> logPath, int stopSignal, User user,
        List<Mount> mounts, LinuxContainerResources resources, long createdAtNanos, Phase phase, Optional<ProcessIdentity> init,
        long startedAtNanos, Exit exit, Optional<Restore> restore) {

    /** How far a container that is made from a checkpoint has come with it, while it is {@link Phase#CREATED}. */
    public enum Restore {
        /** The checkpoint's files are there, and no process: its start will be the restore. */
        WAITING,
        /** Its start has begun: what of it is there nobody knows who was not there. */
        BEGUN
    }

    /** How far a container has come. */
    public enum Phase {
        /** Recorded intent: not shown to clients, removed when Berth finds it at its start. */
        CREATING,
        CREATED,
        RUNNING,
        EXITED,
        /** Removal has begun: shown as exited. */
        REMOVING
    }

    /** Numbers of the user and groups of a process. */
    public record User(long uid, long gid, List<Long> groups) {
        public static final User ROOT = new User(0, 0, List.of());
    }

    /**
     * How a container ended.
     *
     * @param code its exit code, 128 plus the signal where a signal ended it
     * @param reason a word for machines, such as {@code Completed}, {@code Error}, {@code OOMKilled}
     * @param message a sentence for people, may be empty
     */
    public record Exit(int code, long atNanos, String reason, String message) {
        public static final Exit NONE = new Exit(0, 0, "", "");
    }

    /** As its runtime is told of it. */
    public ContainerRuntime.NewContainer described(Path bundle) {
        return new ContainerRuntime.NewContainer(id, sandboxId, config.getMetadata().getName(), bundle, logPath,
                config.getTty(), config.getStdin(), config.getStdinOnce());
    }

    public Container with(Phase changed) {
        return new Container(id, sandboxId, config, imageId, imageRef, handler, cgroup, logPath, stopSignal, user,
                mounts, resources, createdAtNanos, changed, init, startedAtNanos, exit, restore);
    }

    public Container created(ProcessIdentity process, User resolvedUser, List<Mount> made) {
        return new Container(id, sandboxId, config, imageId, imageRef, handler, cgroup, logPath, stopSignal, resolvedUser,
                made, resources, createdAtNanos, Phase.CREATED, Optional.of(process), 0, exit, restore);
    }

    /** As made but for its process, which its start brings back. */
    public Container awaitingRestore(User resolvedUser, List<Mount> made) {
        return new Container(id, sandboxId, config, imageId, imageRef, handler, cgroup, logPath, stopSignal, resolvedUser,
                made, resources, createdAtNanos, Phase.CREATED, Optional.empty(), 0, exit, Optional.of(Restore.WAITING));
    }

    /** As one whose restore has begun. */
    public Container restoring() {
        return new Container(id, sandboxId, config, imageId, imageRef, handler, cgroup, logPath, stopSignal, user,
                mounts, resources, createdAtNanos, phase, init, startedAtNanos, exit, Optional.of(Restore.BEGUN));
    }

    /** With the process that its restore has brought back. */
    public Container restored(ProcessIdentity process) {
        return new Container(id, sandboxId, config, imageId, imageRef, handler, cgroup, logPath, stopSignal, user,
                mounts, resources, createdAtNanos, phase, Optional.of(process), startedAtNanos, exit, restore);
    }

    /** As running since {@code nanos}, unless its end was seen before. */
    public Container started(long nanos) {
        return new Container(id, sandboxId, config, imageId, imageRef, handler, cgroup, logPath, stopSignal, user,
                mounts, resources, createdAtNanos, phase == Phase.CREATED ? Phase.RUNNING : phase, init, nanos, exit,
                restore);
    }

    /** As ended; never before it started, also when the node's clock went back meanwhile. */
    public Container exited(Exit how) {
        Exit ended = how.atNanos() >= startedAtNanos ? how
                : new Exit(how.code(), startedAtNanos, how.reason(), how.message());
        return new Container(id, sandboxId, config, imageId, imageRef, handler, cgroup, logPath, stopSignal, user,
                mounts, resources, createdAtNanos, phase == Phase.REMOVING ? phase : Phase.EXITED, init, startedAtNanos,
                ended, restore);
    }

    public Container withResources(LinuxContainerResources changed) {
        return new Container(id, sandboxId, config, imageId, imageRef, handler, cgroup, logPath, stopSignal, user,
                mounts, changed, createdAtNanos, phase, init, startedAtNanos, exit, restore);
    }

    /** As others who take part in its creation have changed it. */
    public Container adjusted(LinuxContainerResources changed, String changedCgroup) {
        return changed.equals(resources) && changedCgroup.equals(cgroup) ? this
                : new Container(id, sandboxId, config, imageId, imageRef, handler, changedCgroup, logPath, stopSignal, user,
                mounts, changed, createdAtNanos, phase, init, startedAtNanos, exit, restore);
    }

    /** The name that must be unique: what a client repeats when it asks again for the same container. */
    public static String uniqueName(String sandboxId, ContainerConfig config) {
        return String.join("_", config.getMetadata().getName(), sandboxId,
                Integer.toString(config.getMetadata().getAttempt()));
    }

    /** Whether it has no process yet, because its start has to bring one back. */
    public boolean awaitsRestore() {
        return phase == Phase.CREATED && restore.isPresent() && init.isEmpty();
    }

    /** Whether its process exists or is to be brought back, as far as is known. */
    public boolean isLive() {
        return phase == Phase.CREATED || phase == Phase.RUNNING;
    }
}
