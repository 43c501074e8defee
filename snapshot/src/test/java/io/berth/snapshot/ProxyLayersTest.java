package io.berth.snapshot;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.berth.base.Digest;
import io.berth.base.RuntimeFault;
import io.berth.base.RuntimeFault.Kind;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Who brings a layer, and what is left at a snapshotter by what fails. */
class ProxyLayersTest {

    private static final Digest DIFF = Digest.ofBytes(new byte[] {1});
    private static final Digest BLOB = Digest.ofBytes(new byte[] {2});

    @TempDir
    private Path directory;
    private final Program program = new Program();
    private final SnapshotNames names = SnapshotNames.of(Path.of("/var/lib/berth"));
    private ProxyLayers layers;

    /** Answers as its tests tell it to. */
    private static final class Program implements SnapshotCalls {
        final Map<String, Boolean> committed = new TreeMap<>();
        final List<Map<String, String>> asked = new ArrayList<>();
        boolean knowsRegistries;
        boolean forgetsToCommit;
        Optional<RuntimeFault> failure = Optional.empty();

        @Override
        public List<SnapshotMount> prepare(String key, String parent, Map<String, String> labels) {
            asked.add(labels);
            if (failure.isPresent()) {
                throw failure.get();
            }
            if (knowsRegistries && labels.containsKey("containerd.io/snapshot.ref")) {
                if (!forgetsToCommit) {
                    committed.put(labels.get("containerd.io/snapshot.ref"), true);
                }
                throw new RuntimeFault(Kind.ALREADY_EXISTS, "it is there");
            }
            committed.put(key, false);
            return List.of();
        }

        @Override
        public List<SnapshotMount> view(String key, String parent) {
            throw new AssertionError("no view is wanted");
        }

        @Override
        public List<SnapshotMount> mounts(String key) {
            throw new AssertionError("no mounts are wanted");
        }

        @Override
        public void commit(String name, String key) {
            committed.remove(key);
            committed.put(name, true);
        }

        @Override
        public void remove(String key) {
            if (committed.remove(key) == null) {
                throw RuntimeFault.notFound("no " + key);
            }
        }

        @Override
        public boolean isCommitted(String name) {
            return committed.getOrDefault(name, false);
        }

        @Override
        public List<Known> list() {
            return committed.entrySet().stream().map(each -> new Known(each.getKey(), each.getValue())).toList();
        }

        @Override
        public Usage usage(String key) {
            return new Usage(1, 1);
        }

        @Override
        public void cleanUp() {
            throw new RuntimeFault(Kind.INTERNAL, "not now");
        }
    }

    @BeforeEach
    void open() throws IOException {
        layers = new ProxyLayers("test", program, names, directory.resolve("tmp"), UnpackLimits.DEFAULT);
    }

    private static Snapshotter.LayerSource source(Map<String, String> annotations, List<Digest> blobs) {
        return new Snapshotter.LayerSource("registry.example/app:1", DIFF, BLOB, annotations, blobs, Optional.empty(), DIFF, DIFF);
    }

    @Test
    void aSnapshotterThatKnowsRegistriesBringsALayer() {
        program.knowsRegistries = true;
        assertTrue(layers.bring(source(Map.of(), List.of(BLOB))));
        assertTrue(layers.has(DIFF));
        assertEquals(List.of(DIFF), layers.chains(key -> false));
    }

    @Test
    void oneThatDoesNotKeepsNothingOfTheQuestion() {
        assertFalse(layers.bring(source(Map.of(), List.of(BLOB))));
        assertEquals(Map.of(), program.committed);
    }

    @Test
    void oneThatSaysThereIsWhatIsNotIsNotBelieved() {
        program.knowsRegistries = true;
        program.forgetsToCommit = true;
        assertFalse(layers.bring(source(Map.of(), List.of(BLOB))));
        assertEquals(3, program.asked.size());
    }

    @Test
    void itIsToldTheImageTheDigestsAndItsOwnAnnotations() {
        List<Digest> many = IntStream.range(0, 200).mapToObj(i -> Digest.ofBytes(new byte[] {(byte) i, 9})).toList();
        layers.bring(source(Map.of("containerd.io/snapshot/stargz/toc.digest", "sha256:toc", "org.example", "no",
                "containerd.io/snapshot/long", "x".repeat(5000)), many));
        Map<String, String> labels = program.asked.getFirst();
        assertEquals(names.of(DIFF), labels.get("containerd.io/snapshot.ref"));
        assertEquals("registry.example/app:1", labels.get("containerd.io/snapshot/cri.image-ref"));
        assertEquals(BLOB.toString(), labels.get("containerd.io/snapshot/cri.layer-digest"));
        assertEquals(DIFF.toString(), labels.get("containerd.io/snapshot/cri.manifest-digest"));
        assertEquals("sha256:toc", labels.get("containerd.io/snapshot/stargz/toc.digest"));
        assertFalse(labels.containsKey("org.example") || labels.containsKey("containerd.io/snapshot/long"), labels.toString());
        // A label has at most 4096 characters.
        String listed = labels.get("containerd.io/snapshot/cri.image-layers");
        assertTrue(listed.length() + "containerd.io/snapshot/cri.image-layers".length() <= 4096, listed.length() + " characters");
        assertEquals(many.subList(0, listed.split(",").length).stream().map(Digest::toString).toList(), List.of(listed.split(",")));
    }

    @Test
    void aLayerThatIsDamagedLeavesNothing() {
        RuntimeFault fault = assertThrows(RuntimeFault.class, () -> layers.unpack(Optional.empty(), DIFF, DIFF,
                "application/vnd.oci.image.layer.v1.tar", new ByteArrayInputStream(new byte[1024]), () -> { }));
        // Nor was there anything to mount.
        assertEquals(Kind.UNSUPPORTED, fault.kind(), fault.getMessage());
        assertEquals(Map.of(), program.committed);
        assertFalse(layers.has(DIFF));
    }

    @Test
    void whatACrashHasLeftGoesAndWhatIsOthersOrInUseStays() {
        program.committed.put(names.of("unpack-1"), false);
        program.committed.put(names.of("container"), false);
        program.committed.put("k8s.io/1/unpack-1", false);
        program.committed.put("berth-00000000/unpack-1", false);
        program.committed.put(names.of(DIFF), true);
        assertEquals(List.of(DIFF), layers.chains("container"::equals));
        assertEquals(new TreeMap<>(Map.of(names.of("container"), false, "k8s.io/1/unpack-1", false, "berth-00000000/unpack-1", false,
                names.of(DIFF), true)), program.committed);
    }

    @Test
    void aLayerThatTheProgramHasLostIsAskedForAgain() {
        program.committed.put(names.of(DIFF), true);
        assertTrue(layers.has(DIFF));
        program.committed.clear();
        assertTrue(layers.has(DIFF), "asked although it is known");
        layers.doubt(List.of(DIFF));
        assertFalse(layers.has(DIFF));
        program.committed.put(names.of(DIFF), true);
        assertTrue(layers.has(DIFF));
        program.committed.clear();
        assertTrue(layers.damage(DIFF).isPresent());
    }

    @Test
    void whatIsRemovedIsGoneAlsoWhereCleaningUpFails() {
        program.committed.put(names.of(DIFF), true);
        assertTrue(layers.remove(DIFF));
        assertTrue(layers.remove(DIFF), "gone already");
        assertFalse(layers.has(DIFF));
    }

    @Test
    void aProgramThatIsAwaySaysSo() {
        program.failure = Optional.of(new RuntimeFault(Kind.UNAVAILABLE, "nobody answers"));
        assertEquals(Kind.UNAVAILABLE,
                assertThrows(RuntimeFault.class, () -> layers.bring(source(Map.of(), List.of(BLOB)))).kind());
    }
}
