package io.berth.image;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.berth.base.Digest;
import io.berth.base.RuntimeFault;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ImagesTest {

    @TempDir
    Path root;

    private final FakeUnpacker unpacker = new FakeUnpacker();
    private Images images;

    @BeforeEach
    void open() {
        images = new Images(root, Unpackers.only(unpacker), name -> name.contains("/pause:"));
    }

    private Path layout(TestImage image, String... names) throws Exception {
        Path folder = Files.createTempDirectory(root, "layout");
        Files.writeString(folder.resolve("oci-layout"), "{\"imageLayoutVersion\":\"1.0.0\"}");
        Path blobs = Files.createDirectories(folder.resolve("blobs/sha256"));
        for (var blob : image.blobs.entrySet()) {
            Files.write(blobs.resolve(blob.getKey().hex()), blob.getValue());
        }
        Files.write(blobs.resolve(image.manifestDigest().hex()), image.manifest);
        Files.write(blobs.resolve(image.indexDigest().hex()), image.index);
        StringBuilder entries = new StringBuilder();
        for (String name : names) {
            entries.append(entries.isEmpty() ? "" : ",").append(TestImage.descriptor(MediaTypes.OCI_INDEX, image.index)
                    .replaceFirst("}$", ",\"annotations\":{\"io.containerd.image.name\":\"" + name + "\"}}"));
        }
        Files.writeString(folder.resolve("index.json"), "{\"schemaVersion\":2,\"manifests\":[" + entries + "]}");
        return folder;
    }

    private Image add(TestImage image, String... names) throws Exception {
        return new ImportImage(images, Platform.host()).importFrom(layout(image, names), Optional.empty()).getFirst();
    }

    @Test
    void anImageIsFoundByIdPrefixTagAndDigest() throws Exception {
        TestImage made = new TestImage("a", "b");
        Image image = add(made, "docker.io/library/one:1", "r.example/two:latest");
        assertEquals(made.id(), image.id());
        assertEquals(List.of("docker.io/library/one:1", "r.example/two:latest"), image.repoTags());
        assertEquals(Optional.of(made.indexDigest()), image.index());
        long bytes = made.manifest.length + made.blobs.values().stream().mapToLong(b -> b.length).sum();
        assertEquals(bytes, image.sizeBytes());
        for (String text : new String[] {made.id().hex(), made.id().toString(), made.id().abbreviated(), "one:1",
            "r.example/two", "one@" + made.indexDigest(), "one:other@" + made.indexDigest()}) {
            assertEquals(Optional.of(image), images.find(text), text);
        }
        for (String text : new String[] {"", "one", "one:2", "two", made.id().hex().substring(0, 11), "Bad Name", "sha256:12",
            "three@" + made.indexDigest()}) {
            assertEquals(Optional.empty(), images.find(text), text);
        }
    }

    @Test
    void aTagMovesToTheNewerImageAndTheOlderKeepsItsDigestName() throws Exception {
        TestImage first = new TestImage("a");
        TestImage second = new TestImage("b");
        add(first, "r.example/app:1");
        add(second, "r.example/app:1");
        assertEquals(second.id(), images.find("r.example/app:1").orElseThrow().id());
        Image old = images.find(first.id().hex()).orElseThrow();
        assertTrue(old.repoTags().isEmpty());
        assertEquals(List.of("r.example/app@" + first.indexDigest()), old.repoDigests());
        assertEquals(images.list(), new Images(root, Unpackers.only(unpacker), name -> false).list());
    }

    @Test
    void removalTakesAllNamesAndWhatNothingElseNeeds() throws Exception {
        TestImage first = new TestImage("shared", "mine");
        TestImage second = new TestImage("shared", "yours");
        Image one = add(first, "r.example/one:1", "r.example/one:2");
        Image two = add(second, "r.example/two:1");
        assertEquals(Optional.of(one), images.remove("r.example/one:1"));
        assertEquals(Optional.empty(), images.remove("r.example/one:1"));
        assertTrue(images.find("r.example/one:2").isEmpty());
        assertTrue(unpacker.has(one.chainIds().getFirst()));
        assertFalse(unpacker.has(one.chainIds().getLast()));
        assertFalse(images.content().has(one.layers().getLast()));
        assertTrue(images.content().has(two.layers().getFirst()));
        images.remove(two.id().toString());
        assertTrue(unpacker.chains().isEmpty());
        assertTrue(images.content().blobs().isEmpty());
        assertTrue(new Images(root, Unpackers.only(unpacker), name -> false).list().isEmpty());
    }

    @Test
    void layersOfARunningContainerStayUntilTheNextSweep() throws Exception {
        Image image = add(new TestImage("a", "b", "c"), "r.example/app:1");
        unpacker.inUse.add(image.chainIds().getLast());
        images.remove("r.example/app:1");
        assertEquals(3, unpacker.chains().size());
        unpacker.inUse.clear();
        images.sweep(Duration.ZERO);
        assertTrue(unpacker.chains().isEmpty());
    }

    @Test
    void pinnedNamesPin() throws Exception {
        assertTrue(add(new TestImage("p"), "r.example/pause:3").pinned());
        assertFalse(add(new TestImage("q"), "r.example/app:3").pinned());
    }

    @Test
    void aDamagedRecordOrConfigurationIsLeftOut() throws Exception {
        Image image = add(new TestImage("a"), "r.example/app:1");
        add(new TestImage("b"), "r.example/other:1");
        Files.writeString(images.content().path(image.id()), "{}");
        Images again = new Images(root, Unpackers.only(unpacker), name -> false);
        assertEquals(1, again.list().size());
        Files.writeString(root.resolve("images/sha256-junk.json"), "{");
        assertEquals(1, new Images(root, Unpackers.only(unpacker), name -> false).list().size());
    }

    @Test
    void missingLayersComeBackFromTheirBlobs() throws Exception {
        Image image = add(new TestImage("a", "b"), "r.example/app:1");
        unpacker.parents.clear();
        new UnpackImage(images, "").ensure(image);
        assertTrue(unpacker.chains().containsAll(image.chainIds()));
    }

    @Test
    void aHostileLayoutIsRefused() throws Exception {
        ImportImage importing = new ImportImage(images, Platform.host());
        Path linked = layout(new TestImage("a"), "r.example/app:1");
        Path blob = linked.resolve("blobs/sha256").resolve(new TestImage("a").layers.getFirst().hex());
        Files.move(blob, root.resolve("elsewhere"));
        Files.createSymbolicLink(blob, root.resolve("elsewhere"));
        assertEquals(RuntimeFault.Kind.DATA_LOSS,
                assertThrows(RuntimeFault.class, () -> importing.importFrom(linked, Optional.empty())).kind());
        Path changed = layout(new TestImage("b"), "r.example/app:1");
        Files.writeString(changed.resolve("blobs/sha256").resolve(new TestImage("b").layers.getFirst().hex()), "x");
        assertEquals(RuntimeFault.Kind.DATA_LOSS,
                assertThrows(RuntimeFault.class, () -> importing.importFrom(changed, Optional.empty())).kind());
        Path foreign = layout(new TestImage(new Platform("linux", "s390x", ""), "c"), "r.example/app:1");
        RuntimeFault fault = assertThrows(RuntimeFault.class, () -> importing.importFrom(foreign, Optional.empty()));
        assertTrue(fault.getMessage().contains("it has: linux/s390x"), fault.getMessage());
        assertTrue(images.list().isEmpty());
    }

    /** Its layers wait for it; those of the others go. */
    @Test
    void aSnapshotterThatIsAwayDoesNotKeepTheLayersOfOthers() throws Exception {
        AwayUnpacker away = new AwayUnpacker();
        images = new Images(root, new Unpackers("here", Map.of("here", unpacker, "away", away)), name -> false);
        Image image = add(new TestImage("a", "b"), "r.example/app:1");
        assertEquals(2, unpacker.chains().size());
        images.remove("r.example/app:1");
        assertTrue(images.list().isEmpty());
        assertEquals(List.of(), unpacker.chains());
        assertEquals(1, away.asked, "asked again and again");
        away.isBack = true;
        images.sweep(Duration.ZERO);
        assertEquals(1 + image.chainIds().size(), away.asked);
    }

    private static final class AwayUnpacker implements Unpacker {
        boolean isBack;
        int asked;

        @Override
        public boolean has(Digest chainId) {
            return false;
        }

        @Override
        public void unpack(Optional<Digest> parentChain, Digest chainId, Digest diffId,
                String mediaType, InputStream compressed, Runnable awaitParent) {
            throw new AssertionError("nothing is meant for it");
        }

        @Override
        public void awaitDurable() {}

        @Override
        public Optional<String> damage(Digest chainId) {
            return Optional.empty();
        }

        @Override
        public List<Digest> chains() {
            return List.of();
        }

        @Override
        public boolean remove(Digest chainId) {
            asked++;
            if (!isBack) {
                throw new RuntimeFault(RuntimeFault.Kind.UNAVAILABLE, "nobody answers");
            }
            return true;
        }
    }
}
