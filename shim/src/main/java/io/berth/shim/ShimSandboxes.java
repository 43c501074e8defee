package io.berth.shim;

import io.berth.base.RuntimeFault;
import io.berth.linux.DirectoryTree;
import io.berth.linux.Mounts;
import io.berth.linux.PauseProgram;
import io.berth.runtime.SandboxTasks;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/** The shims of one handler by their pods, each with the pod's own task in it: a program that waits. Thread-safe. */
final class ShimSandboxes implements SandboxTasks {

    private static final Logger LOG = LoggerFactory.getLogger(ShimSandboxes.class);
    private static final long ROOTFS_BYTES = 64 * 1024;

    private final ShimSite site;
    private final Map<String, Shim> shims = new ConcurrentHashMap<>();
    private volatile Consumer<String> told = id -> { };

    ShimSandboxes(ShimSite site) {
        this.site = site;
    }

    @Override
    public void run(String sandboxId, ObjectNode spec) {
        Path bundle = site.bundle(sandboxId);
        Path rootfs = bundle.resolve("rootfs");
        try {
            Files.createDirectories(rootfs);
            // As containers' bundles: users of a user namespace pass through, but list nothing.
            Files.setPosixFilePermissions(bundle, PosixFilePermissions.fromString("rwx--x--x"));
            // The state directory is below /run, from which many distributions let nothing be executed.
            String label = spec.path("linux").path("mountLabel").asString("");
            Mounts.tmpfs(rootfs, ROOTFS_BYTES, 0755, 0, 0, Mounts.MS_NOSUID | Mounts.MS_NODEV,
                    Optional.of(label).filter(text -> !text.isEmpty()));
            PauseProgram.write(rootfs.resolve("pause"));
            // Root of a user namespace could not make these to mount on.
            for (String directory : List.of("proc", "dev", "etc")) {
                Files.createDirectory(rootfs.resolve(directory));
            }
            Files.createFile(rootfs.resolve("etc/resolv.conf"));
            ((ObjectNode) spec.get("process")).putArray("args").add("/pause");
            Files.write(bundle.resolve("config.json"), JsonMapper.shared().writeValueAsBytes(spec));
        } catch (IOException e) {
            throw RuntimeFault.internal("write the bundle of sandbox " + sandboxId + ": " + RuntimeFault.reason(e), e);
        }
        Shim shim = new Shim(site, sandboxId, this::died);
        shims.put(sandboxId, shim);
        shim.start();
    }

    private void died(String sandboxId) {
        try {
            told.accept(sandboxId);
        } catch (RuntimeFault failure) {
            LOG.atError().addKeyValue("pod", sandboxId).setCause(failure).log("pod whose shim has ended is not stopped");
        }
    }

    @Override
    public void adopt(String sandboxId) {
        find(sandboxId).filter(shim -> !shim.isDead()).ifPresentOrElse(shim -> { }, () -> died(sandboxId));
    }

    /** The shim of a pod, that an earlier Berth has started perhaps; empty when there is none. It may be dead. */
    Optional<Shim> find(String sandboxId) {
        return Optional.ofNullable(shims.computeIfAbsent(sandboxId, this::adopted));
    }

    private Shim adopted(String sandboxId) {
        Optional<ShimRecord> record = ShimRecord.read(site.bundle(sandboxId));
        if (record.isEmpty()) {
            return null;
        }
        Shim shim = new Shim(site, sandboxId, this::died);
        try {
            shim.adopt(record.get());
        } catch (RuntimeFault gone) {
            LOG.atWarn().addKeyValue("pod", sandboxId).addKeyValue("reason", gone.getMessage()).log("shim does not answer");
            shim.giveUp(gone.getMessage());
        }
        return shim;
    }

    /** Stands for the shim of a pod of which there is none. */
    Shim gone(String sandboxId) {
        return Shim.gone(site, sandboxId);
    }

    @Override
    public void stop(String sandboxId) {
        if (Files.isDirectory(site.bundle(sandboxId)) && !site.isStopped(sandboxId)) {
            find(sandboxId).orElseGet(() -> gone(sandboxId)).stop();
            site.markStopped(sandboxId);
        }
        shims.remove(sandboxId);
    }

    @Override
    public void remove(String sandboxId) {
        stop(sandboxId);
        DirectoryTree.remove(site.bundle(sandboxId));
    }

    @Override
    public void onEnd(Consumer<String> consumer) {
        told = consumer;
    }
}
