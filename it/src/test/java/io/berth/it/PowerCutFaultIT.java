package io.berth.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.berth.api.v1.PullProgress;
import io.berth.api.v1.WatchPullsRequest;
import io.berth.cli.scratch.PodClient;
import io.berth.cri.v1.ImageSpec;
import io.berth.cri.v1.ListImagesRequest;
import io.berth.cri.v1.PullImageRequest;
import io.berth.cri.v1.RemoveImageRequest;
import io.berth.linux.Mounts;
import io.grpc.StatusRuntimeException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/**
 * The power goes while an image is pulled. The root directory is a file system in a file: the file is copied as it is when
 * the daemon is killed, so that what was in the mounted file system's page cache only is lost, and the daemon goes on with
 * the copy. An image that it shows then is whole, and the next pull brings one that is.
 */
@Timeout(600)
class PowerCutFaultIT {

    private static final String SIZE = "700M";

    @RegisterExtension
    private final TestDaemon daemon = TestDaemon.withBuiltinNetwork();

    @TempDir
    private Path directory;

    private boolean mounted;

    private record Ended(int code, String output) {}

    private static Ended command(String script, Object... arguments) throws Exception {
        List<String> command = new ArrayList<>(List.of("/bin/bash", "-ec", script, "test"));
        for (Object argument : arguments) {
            command.add(argument.toString());
        }
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertTrue(process.waitFor(120, TimeUnit.SECONDS));
        return new Ended(process.exitValue(), out);
    }

    private static void run(String script, Object... arguments) throws Exception {
        Ended ended = command(script, arguments);
        assertEquals(0, ended.code, ended.output);
    }

    private Path disk() {
        return directory.resolve("disk.img");
    }

    // No commits by the clock: between the kill and the copy the kernel is to bring as little as possible to the disk.
    private Ended mount() throws Exception {
        Ended ended = command("mount -o loop,commit=300 \"$1\" \"$2\"", disk(), daemon.node().root());
        mounted = ended.code == 0;
        return ended;
    }

    private void onADisk() throws Exception {
        daemon.stop();
        run("truncate -s \"$1\" \"$2\"; mkfs.ext4 -q -F -J size=8 \"$2\"; rm -rf \"$3\"; mkdir \"$3\"", SIZE, disk(),
                daemon.node().root());
        Ended ended = mount();
        if (!mounted) {
            daemon.start();
        }
        assumeTrue(mounted, () -> "skipped: no loop device can be mounted here: " + ended.output);
        daemon.start();
    }

    @AfterEach
    void unmount() {
        if (mounted) {
            daemon.stop();
            Mounts.unmount(daemon.node().root());
        }
    }

    private void cutPower() throws Exception {
        daemon.kill9();
        run("cp --sparse=always \"$1\" \"$1.copy\"", disk());
        Mounts.unmount(daemon.node().root());
        mounted = false;
        Files.move(Path.of(disk() + ".copy"), disk(), java.nio.file.StandardCopyOption.REPLACE_EXISTING);
        Ended ended = mount();
        assertEquals(0, ended.code, ended.output);
        // The kernel is the same one: what a layer was written under is told to be another one's.
        run("grep -rlE '^unsynced .+' \"$1\"/snapshots/layers/*/record | xargs -r sed -i -E 's/^unsynced .+/unsynced former/' || true",
                daemon.node().root());
        daemon.start();
    }

    private static void makeImage(Path directory, String name, String base) throws Exception {
        run("""
                cd "$1"; mkdir -p one/one two/two
                head -c 40M /dev/urandom > one/one/random; seq 1000000 > two/two/numbers
                for i in $(seq 400); do seq $i 2000 > two/two/f$i; done
                for part in one two; do (cd $part; find $part -type f | sort | xargs sha256sum > ../sums; mv ../sums $part/sums); done
                skopeo --insecure-policy copy --src-tls-verify=false docker://"$3" oci:image:x
                umoci insert --image image:x one/one /one; umoci insert --image image:x two/two /two
                skopeo --insecure-policy copy --dest-tls-verify=false oci:image:x docker://"$2"
                """, directory, name, base);
    }

    @Test
    void whateverThePowerCutLeavesAnImageIsWholeOrNotThere() throws Exception {
        onADisk();
        try (LocalRegistry registry = LocalRegistry.start(directory.resolve("registry"))) {
            String base = registry.push("base");
            String name = base.replace("/base:1", "/cut:1");
            makeImage(directory, name, base);
            List<Predicate<PullProgress>> moments = List.of(
                    progress -> progress.getDoneBytes() > 1_000_000,
                    progress -> progress.getDigest().isEmpty() && progress.getDoneBytes() * 2 > progress.getTotalBytes(),
                    progress -> progress.getUnpackedBytes() > 5_000_000,
                    progress -> !progress.getDigest().isEmpty() && progress.getPhase().equals("DONE"));
            int seen = 0;
            for (Predicate<PullProgress> moment : moments) {
                begin(name, moment);
                cutPower();
                seen += assertWholeOrAbsent(name);
            }
            for (long millis : List.of(0L, 100L, 600L, 3000L)) {
                if (seen > 0) {
                    daemon.connection().images().removeImage(RemoveImageRequest.newBuilder().setImage(spec(name)).build());
                }
                pull(name);
                Thread.sleep(millis);
                cutPower();
                seen = assertWholeOrAbsent(name);
            }
            pull(name);
            assertEquals(1, assertWholeOrAbsent(name));
        }
    }

    private static ImageSpec spec(String name) {
        return ImageSpec.newBuilder().setImage(name).build();
    }

    private void pull(String name) {
        daemon.connection().images().pullImage(PullImageRequest.newBuilder().setImage(spec(name)).build());
    }

    private void begin(String name, Predicate<PullProgress> moment) {
        Iterator<PullProgress> progress = daemon.connection().berth().watchPulls(WatchPullsRequest.getDefaultInstance());
        CompletableFuture.runAsync(() -> {
            try {
                pull(name);
            } catch (StatusRuntimeException cut) {
                // It is meant to be.
            }
        }, Thread::startVirtualThread);
        while (!moment.test(progress.next())) {
            continue;
        }
    }

    /** How many images there are. Each can be run, and its files are those that were pushed. */
    private int assertWholeOrAbsent(String name) {
        var images = daemon.connection().images().listImages(ListImagesRequest.getDefaultInstance()).getImagesList();
        if (!images.isEmpty()) {
            var pod = daemon.pods().run(PodClient.config("check", daemon.node().logs()));
            String container = daemon.pods().run(pod, PodClient.container("check", "sh", "-c",
                    "cd / && sha256sum -c one/sums >/dev/null && sha256sum -c two/sums >/dev/null").toBuilder()
                    .setImage(spec(name)).build());
            assertEquals(0, daemon.pods().awaitExit(container, Duration.ofSeconds(60)).getExitCode(),
                    () -> daemon.log("check", "check"));
            daemon.pods().stop(pod);
            daemon.pods().remove(pod);
        }
        return images.size();
    }
}
