package io.berth.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.berth.api.v1.ExportImageRequest;
import io.berth.api.v1.ImportImageRequest;
import io.berth.api.v1.PruneImagesRequest;
import io.berth.api.v1.VerifiedImage;
import io.berth.api.v1.VerifyImagesRequest;
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
}
