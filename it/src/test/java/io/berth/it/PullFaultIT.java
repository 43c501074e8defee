package io.berth.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.berth.api.v1.PullProgress;
import io.berth.api.v1.VerifiedImage;
import io.berth.api.v1.VerifyImagesRequest;
import io.berth.api.v1.WatchPullsRequest;
import io.berth.cri.v1.ImageServiceGrpc;
import io.berth.cri.v1.ImageSpec;
import io.berth.cri.v1.ListImagesRequest;
import io.berth.cri.v1.PullImageRequest;
import io.berth.cri.v1.PullImageResponse;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.StreamObserver;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/** A daemon that is killed in the middle of a pull: an image is there whole or not at all, and the next pull repairs. */
@Timeout(300)
class PullFaultIT {

    @RegisterExtension
    final TestDaemon daemon = TestDaemon.withBuiltinNetwork();

    @TempDir
    Path directory;

    private static void run(String script, Object... arguments) throws IOException, InterruptedException {
        var command = new java.util.ArrayList<>(List.of("/bin/bash", "-ec", script, "test"));
        for (Object argument : arguments) {
            command.add(argument.toString());
        }
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertTrue(process.waitFor(120, TimeUnit.SECONDS));
        assertEquals(0, process.exitValue(), out);
    }

    @Test
    void aPullThatIsKilledAnywhereIsRepairedByTheNext() throws Exception {
        try (LocalRegistry registry = LocalRegistry.start(directory.resolve("registry"))) {
            String name = registry.push("base").replace("/base:1", "/killed:1");
            run("""
                    cd "$1"; mkdir one two; head -c 40M /dev/urandom > one/random; seq 3000000 > two/numbers
                    for i in $(seq 500); do echo $i > two/f$i; done
                    umoci init --layout image; umoci new --image image:x
                    umoci insert --image image:x one /one; umoci insert --image image:x two /two
                    skopeo --insecure-policy copy --dest-tls-verify=false oci:image:x docker://"$2"
                    """, directory, name);
            List<Predicate<PullProgress>> moments = List.of(
                    progress -> progress.getPhase().equals("RESOLVING") || progress.getTotalBytes() > 0,
                    progress -> progress.getDoneBytes() > 0,
                    progress -> progress.getDigest().isEmpty() && progress.getDoneBytes() * 2 > progress.getTotalBytes(),
                    progress -> progress.getUnpackedBytes() > 5_000_000,
                    progress -> !progress.getDigest().isEmpty() && progress.getPhase().equals("DONE"),
                    progress -> progress.getDigest().isEmpty() && progress.getPhase().equals("DONE"));
            for (Predicate<PullProgress> moment : moments) {
                killAt(moment, name);
                daemon.start();
                assertWholeOrAbsent();
            }
            pull(name);
            assertWholeOrAbsent();
            assertEquals(1, daemon.connection().images().listImages(ListImagesRequest.getDefaultInstance()).getImagesCount());
            compare();
        }
    }

    private void killAt(Predicate<PullProgress> moment, String name) {
        Iterator<PullProgress> progress = daemon.connection().berth().watchPulls(WatchPullsRequest.getDefaultInstance());
        ImageServiceGrpc.newStub(daemon.connection().channel()).pullImage(PullImageRequest.newBuilder()
                .setImage(ImageSpec.newBuilder().setImage(name)).build(), new StreamObserver<>() {
                    @Override
                    public void onNext(PullImageResponse answer) {}

                    @Override
                    public void onError(Throwable killed) {}

                    @Override
                    public void onCompleted() {}
                });
        try {
            while (!moment.test(progress.next())) {
                continue;
            }
        } catch (StatusRuntimeException e) {
            throw new AssertionError("the daemon ended by itself", e);
        }
        daemon.kill9();
    }

    private void pull(String name) {
        daemon.connection().images().pullImage(PullImageRequest.newBuilder()
                .setImage(ImageSpec.newBuilder().setImage(name)).build());
    }

    private void assertWholeOrAbsent() {
        Iterator<VerifiedImage> verified = daemon.connection().berth().verifyImages(VerifyImagesRequest.getDefaultInstance());
        while (verified.hasNext()) {
            assertEquals(List.of(), verified.next().getFindingsList());
        }
    }

    private void compare() throws Exception {
        Path layers = Path.of(daemon.connection().berth().info(io.berth.api.v1.InfoRequest.getDefaultInstance()).getRoot())
                .resolve("snapshots/layers");
        try (var all = Files.list(layers)) {
            for (Path layer : all.toList()) {
                Path files = layer.resolve("fs");
                String part = Files.exists(files.resolve("one")) ? "one" : "two";
                run("diff -r \"$1\" \"$2\"", directory.resolve(part), files.resolve(part));
            }
        }
    }
}
