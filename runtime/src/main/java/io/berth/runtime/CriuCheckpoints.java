package io.berth.runtime;

import io.berth.base.RuntimeFault;
import io.berth.linux.Cgroups;
import io.berth.linux.DirectoryTree;
import io.berth.runtime.ContainerRuntime.FirstProcess;
import io.berth.runtime.ContainerRuntime.NewContainer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/**
 * Checkpoints by an OCI runtime that calls CRIU, as runc and crun do; conmon runs it for a restore and becomes the parent of
 * what is restored.
 *
 * @param bundles the parent of the containers' bundles
 */
record CriuCheckpoints(OciRuntime runtime, ConmonMonitor monitor, Path bundles) implements Checkpoints {

    // The names that runc and crun give them in the working directory, which conmon sets to the bundle.
    private static final String LOG = "restore.log";
    private static final String STATISTICS = "stats-restore";
    private static final int ATTEMPTS = 3;

    private Path bundle(String id) {
        return bundles.resolve(id);
    }

    @Override
    public void freeze(String id) {
        runtime.pause(id);
    }

    @Override
    public void thaw(String id) {
        runtime.resume(id);
    }

    @Override
    public void write(String id, Path images, Path work, Duration limit) {
        for (int left = ATTEMPTS - 1; ; left--) {
            try {
                runtime.checkpoint(id, images, work, limit);
                return;
            } catch (RuntimeFault failed) {
                if (left == 0 || !CriuLog.sawVfork(work.resolve("dump.log"))) {
                    throw failed;
                }
                thaw(id);
                freeze(id);
                empty(images);
            }
        }
    }

    private static void empty(Path images) {
        DirectoryTree.remove(images);
        try {
            Files.createDirectories(images);
        } catch (IOException e) {
            throw RuntimeFault.internal("make " + images + ": " + RuntimeFault.reason(e), e);
        }
    }

    @Override
    public boolean canRestore() {
        return runtime.knowsRestore();
    }

    @Override
    public FirstProcess restore(NewContainer container, Path images) {
        ObjectNode specification = specification(container.bundle());
        nameCgroup(container.bundle(), specification);
        FirstProcess process;
        try {
            process = monitor.restore(runtime, container, images, options(specification));
        } catch (RuntimeFault failed) {
            throw new RuntimeFault(failed.kind(), failed.getMessage() + CriuLog.errors(container.bundle().resolve(LOG)), failed);
        }
        try {
            Files.deleteIfExists(container.bundle().resolve(LOG));
            Files.deleteIfExists(container.bundle().resolve(STATISTICS));
        } catch (IOException stays) {
            // It goes with the bundle.
            return process;
        }
        return process;
    }

    private static ObjectNode specification(Path bundle) {
        try {
            return (ObjectNode) JsonMapper.shared().readTree(bundle.resolve("config.json").toFile());
        } catch (JacksonException e) {
            throw RuntimeFault.internal("read the specification in " + bundle + ": " + RuntimeFault.reason(e), e);
        }
    }

    // crun does this by itself, and runc where each controller has a hierarchy of its own.
    private void nameCgroup(Path bundle, ObjectNode specification) {
        if (!runtime.isRunc() || !Cgroups.detect().isUnified()) {
            return;
        }
        String group = Cgroups.path(specification.path("linux").path("cgroupsPath").asString(""));
        CriuConfiguration.OF_RUNC.write(bundle, specification, Path.of("/", group).normalize().toString());
        try {
            Files.write(bundle.resolve("config.json"), JsonMapper.shared().writeValueAsBytes(specification));
        } catch (IOException e) {
            throw RuntimeFault.internal("write the specification in " + bundle + ": " + RuntimeFault.reason(e), e);
        }
    }

    // Labels are the new container's: CRIU would set those of the old one.
    private static List<String> options(JsonNode specification) {
        List<String> options = new ArrayList<>(List.of("--file-locks"));
        String process = specification.path("process").path("selinuxLabel").asString("");
        String files = specification.path("linux").path("mountLabel").asString("");
        if (!process.isEmpty()) {
            options.addAll(List.of("--lsm-profile", "selinux:" + process));
        }
        if (!files.isEmpty()) {
            options.addAll(List.of("--lsm-mount-context", files));
        }
        return options;
    }

    @Override
    public Optional<FirstProcess> restored(String id) {
        return runtime.status(id).filter("running"::equals).flatMap(running -> monitor.firstProcess(bundle(id)));
    }

    @Override
    public void abandon(String id) {
        monitor.kill(bundle(id));
        runtime.delete(id, true);
    }
}
