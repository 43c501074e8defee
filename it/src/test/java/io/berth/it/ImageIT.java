package io.berth.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.github.luben.zstd.Zstd;
import io.berth.api.v1.ExportImageRequest;
import io.berth.api.v1.ImportImageRequest;
import io.berth.api.v1.PruneImagesRequest;
import io.berth.api.v1.VerifiedImage;
import io.berth.api.v1.VerifyImagesRequest;
import io.berth.base.Digest;
import io.berth.cli.scratch.PodClient;
import io.berth.cri.v1.FilesystemUsage;
import io.berth.cri.v1.Image;
import io.berth.cri.v1.ImageFsInfoRequest;
import io.berth.cri.v1.ImageSpec;
import io.berth.cri.v1.ListImagesRequest;
import io.berth.cri.v1.PullImageRequest;
import io.berth.cri.v1.RemoveImageRequest;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/** Images of a real daemon from a real registry: what they take, whether they are whole, out and in again, and away. */
@Timeout(180)
class ImageIT {

    @RegisterExtension
    final TestDaemon daemon = TestDaemon.withBuiltinNetwork();

    @TempDir
    Path directory;

    private LocalRegistry registry;
    private String name;

    @BeforeEach
    void push() throws Exception {
        registry = LocalRegistry.start(directory.resolve("registry"));
        name = registry.push("app");
    }

    @AfterEach
    void end() throws Exception {
        registry.close();
    }

    private String pull() {
        return daemon.connection().images().pullImage(PullImageRequest.newBuilder()
                .setImage(ImageSpec.newBuilder().setImage(name)).build()).getImageRef();
    }

    private List<Image> list() {
        return daemon.connection().images().listImages(ListImagesRequest.getDefaultInstance()).getImagesList();
    }

    private Path root() {
        return Path.of(daemon.connection().berth().info(io.berth.api.v1.InfoRequest.getDefaultInstance()).getRoot());
    }

    private static String run(String... command) throws IOException, InterruptedException {
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertTrue(process.waitFor(60, TimeUnit.SECONDS));
        assertEquals(0, process.exitValue(), out);
        return out;
    }

    private List<Path> layerBlobs() throws IOException {
        // Manifests and configurations are small: what is larger is a layer.
        try (var blobs = Files.list(root().resolve("content/blobs/sha256"))) {
            return blobs.filter(blob -> blob.toFile().length() > 100_000).toList();
        }
    }

    private void awaitDiscard() throws Exception {
        for (int i = 0; i < 600 && (!layerBlobs().isEmpty() || unsynced()); i++) {
            Thread.sleep(50);
        }
        assertEquals(List.of(), layerBlobs());
    }

    private boolean unsynced() throws IOException {
        try (var layers = Files.list(root().resolve("snapshots/layers"))) {
            for (Path layer : layers.toList()) {
                if (Files.readString(layer.resolve("record")).matches("(?s).*unsynced [0-9a-f].*")) {
                    return true;
                }
            }
        }
        return false;
    }

    private FilesystemUsage usage() {
        return daemon.connection().images().imageFsInfo(ImageFsInfoRequest.getDefaultInstance()).getImageFilesystems(0);
    }

    private void assertUsageIsThatOfDu() throws Exception {
        long bytes = 0;
        long inodes = 0;
        for (String part : List.of("content", "images", "snapshots/layers")) {
            String path = root().resolve(part).toString();
            bytes += Long.parseLong(run("du", "-s", "--block-size=1", path).split("\\s")[0]);
            inodes += Long.parseLong(run("du", "-s", "--inodes", path).split("\\s")[0]);
        }
        assertEquals(bytes, usage().getUsedBytes().getValue());
        assertEquals(inodes, usage().getInodesUsed().getValue());
    }

    @Test
    void whatImagesTakeIsWhatDuSays() throws Exception {
        assertUsageIsThatOfDu();
        pull();
        awaitDiscard();
        assertUsageIsThatOfDu();
        TestImages.busybox(daemon);
        for (int i = 0; i < 600 && unsynced(); i++) {
            Thread.sleep(50);
        }
        assertFalse(layerBlobs().isEmpty(), "what was imported cannot be fetched again and is kept");
        assertUsageIsThatOfDu();
    }

    private List<VerifiedImage> verify(boolean repair) {
        List<VerifiedImage> all = new ArrayList<>();
        daemon.connection().berth().verifyImages(VerifyImagesRequest.newBuilder().setRepair(repair).build())
                .forEachRemaining(all::add);
        return all;
    }

    @Test
    void damageIsFoundAndRepaired() throws Exception {
        String id = pull();
        awaitDiscard();
        assertEquals(List.of(), verify(false).getFirst().getFindingsList());
        Path config = root().resolve("content/blobs/sha256").resolve(id.replace("sha256:", ""));
        Files.writeString(config, "rotten");
        Path layer;
        try (var layers = Files.list(root().resolve("snapshots/layers"))) {
            layer = layers.findFirst().orElseThrow();
        }
        Files.delete(layer.resolve("fs/bin/busybox"));
        VerifiedImage damaged = verify(false).getFirst();
        assertEquals(2, damaged.getFindingsCount(), damaged.toString());
        assertTrue(damaged.getFindings(1).getProblem().contains("files in"), damaged.toString());
        VerifiedImage repaired = verify(true).getFirst();
        assertEquals("pulled again, all is well", repaired.getRepair(), repaired.toString());
        assertTrue(Files.exists(layer.resolve("fs/bin/busybox")));
        assertEquals(List.of(), verify(false).getFirst().getFindingsList());
        daemon.restart();
        assertEquals(id, list().getFirst().getId());
    }

    @Test
    void anExportedImageIsReadByOthersAndComesInAgain() throws Exception {
        String id = pull();
        awaitDiscard();
        Path archive = directory.resolve("app.tar");
        assertTrue(daemon.connection().berth().exportImage(ExportImageRequest.newBuilder().setImage(name)
                .setPath(archive.toString()).build()).getSizeBytes() > 100_000);
        run("skopeo", "--insecure-policy", "copy", "oci-archive:" + archive, "dir:" + directory.resolve("as-oci"));
        run("skopeo", "--insecure-policy", "copy", "docker-archive:" + archive, "dir:" + directory.resolve("as-docker"));
        assertTrue(run("skopeo", "inspect", "--raw", "dir:" + directory.resolve("as-oci")).contains(id));
        awaitDiscard();
        daemon.connection().images().removeImage(RemoveImageRequest.newBuilder()
                .setImage(ImageSpec.newBuilder().setImage(name)).build());
        assertEquals(List.of(), list());
        assertEquals(id, daemon.connection().berth().importImage(ImportImageRequest.newBuilder().setPath(archive.toString())
                .build()).getImages(0).getId());
        assertEquals(List.of(name), list().getFirst().getRepoTagsList());
    }

    @Test
    void pruningTakesWhatHasLostItsTagAndNothingElse() throws Exception {
        String old = pull();
        String pages = directory.resolve("registry/app").toString();
        run("rm", "-r", pages);
        io.berth.cli.scratch.BusyboxImage.write(Path.of(pages), "another page\n");
        run("skopeo", "--insecure-policy", "copy", "--dest-tls-verify=false", "oci:" + pages, "docker://" + name);
        String fresh = pull();
        var prune = PruneImagesRequest.newBuilder();
        assertEquals(old, daemon.connection().berth().pruneImages(prune.setDryRun(true).build()).getImages(0).getId());
        assertEquals(2, list().size());
        assertEquals(1, daemon.connection().berth().pruneImages(prune.setDryRun(false).build()).getImagesCount());
        assertEquals(List.of(fresh), list().stream().map(Image::getId).toList());
        assertEquals(1, daemon.connection().berth().pruneImages(prune.setAll(true).build()).getImagesCount());
        assertEquals(List.of(), list());
    }

    // skopeo takes a layer that the registry has by gzip for good enough, whatever it is asked for.
    private Path withZstd(Path layout) throws IOException {
        Path blobs = layout.resolve("blobs/sha256");
        String index = Files.readString(layout.resolve("index.json"));
        Digest old = Digest.parse(index.replaceFirst("(?s).*?\"digest\":\"([^\"]+)\".*", "$1"));
        String manifest = Files.readString(blobs.resolve(old.hex()));
        String layer = manifest.replaceFirst("(?s).*\"layers\":\\[.*?\"digest\":\"sha256:([0-9a-f]+)\".*", "$1");
        byte[] packed = Zstd.compress(Files.readAllBytes(blobs.resolve(layer)));
        byte[] changed = manifest.replaceFirst("layer.v1.tar\",\"digest\":\"sha256:" + layer + "\",\"size\":[0-9]+",
                "layer.v1.tar+zstd\",\"digest\":\"" + Digest.ofBytes(packed) + "\",\"size\":" + packed.length)
                .getBytes(StandardCharsets.UTF_8);
        Files.write(blobs.resolve(Digest.ofBytes(packed).hex()), packed);
        Files.write(blobs.resolve(Digest.ofBytes(changed).hex()), changed);
        Files.writeString(layout.resolve("index.json"), index.replace(old.toString(), Digest.ofBytes(changed).toString())
                .replaceFirst("\"size\":[0-9]+", "\"size\":" + changed.length));
        return layout;
    }

    @Test
    void dockersManifestsAndZstdLayersArePulledAndRun() throws Exception {
        String pages = directory.resolve("registry/app").toString();
        String docker = name.replace("/app:", "/docker:");
        String zstd = name.replace("/app:", "/zstd:");
        run("skopeo", "--insecure-policy", "copy", "--dest-tls-verify=false", "--format", "v2s2", "oci:" + pages,
                "docker://" + docker);
        run("skopeo", "--insecure-policy", "copy", "--dest-tls-verify=false", "oci:" + withZstd(Path.of(pages)),
                "docker://" + zstd);
        assertTrue(run("skopeo", "inspect", "--raw", "--tls-verify=false", "docker://" + docker)
                .contains("application/vnd.docker.distribution.manifest.v2+json"));
        assertTrue(run("skopeo", "inspect", "--raw", "--tls-verify=false", "docker://" + zstd).contains("tar+zstd"));
        for (String each : List.of(docker, zstd)) {
            name = each;
            pull();
            var pod = daemon.pods().run(PodClient.config("pod", daemon.node().logs()));
            String container = daemon.pods().run(pod, PodClient.container("main", "sleep", "1000").toBuilder()
                    .setImage(ImageSpec.newBuilder().setImage(each)).build());
            assertEquals("app\n", daemon.pods().exec(container, "cat", "/www/index.html").getStdout().toStringUtf8());
            daemon.pods().stop(pod);
            daemon.pods().remove(pod);
            // The next one's layer is to be unpacked, not found.
            daemon.connection().images().removeImage(RemoveImageRequest.newBuilder()
                    .setImage(ImageSpec.newBuilder().setImage(each)).build());
        }
    }

    @Test
    void pullsRemovalsAndPruningAtTheSameTimeHarmNobody() throws Exception {
        // Three names of images that share their layers, pulled and removed over one another.
        List<String> names = List.of(name, name.replace("/app:", "/two:"), name.replace("/app:", "/three:"));
        String pages = directory.resolve("registry/app").toString();
        for (String each : names.subList(1, 3)) {
            run("skopeo", "--insecure-policy", "copy", "--dest-tls-verify=false", "oci:" + pages, "docker://" + each);
        }
        var failures = new java.util.concurrent.ConcurrentLinkedQueue<Throwable>();
        List<Thread> threads = new ArrayList<>();
        for (String each : names) {
            threads.add(Thread.startVirtualThread(() -> repeat(failures, () -> {
                ImageSpec image = ImageSpec.newBuilder().setImage(each).build();
                daemon.connection().images().pullImage(PullImageRequest.newBuilder().setImage(image).build());
                daemon.connection().images().removeImage(RemoveImageRequest.newBuilder().setImage(image).build());
                daemon.connection().images().removeImage(RemoveImageRequest.newBuilder().setImage(image).build());
            })));
        }
        threads.add(Thread.startVirtualThread(() -> repeat(failures, () -> {
            daemon.connection().berth().pruneImages(PruneImagesRequest.newBuilder().setAll(true).build());
            usage();
        })));
        for (Thread thread : threads) {
            thread.join();
        }
        assertEquals(List.of(), List.copyOf(failures));
        pull();
        assertEquals(List.of(), verify(false).getFirst().getFindingsList());
        var pod = daemon.pods().run(PodClient.config("pod", daemon.node().logs()));
        daemon.pods().run(pod, PodClient.container("main", "sleep", "1000").toBuilder()
                .setImage(ImageSpec.newBuilder().setImage(name)).build());
        // What a container uses stays, whoever prunes.
        daemon.connection().berth().pruneImages(PruneImagesRequest.newBuilder().setAll(true).build());
        assertEquals(1, list().size());
        daemon.pods().stop(pod);
        daemon.pods().remove(pod);
        awaitDiscard();
        assertUsageIsThatOfDu();
    }

    private static void repeat(java.util.Queue<Throwable> failures, Runnable work) {
        for (int i = 0; i < 25 && failures.isEmpty(); i++) {
            try {
                work.run();
            } catch (RuntimeException e) {
                failures.add(e);
            }
        }
    }
}
