package io.berth.pod.checkpoint;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.berth.base.RuntimeFault;
import io.berth.cri.v1.Mount;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/** What checkpoints of the peers and hostile ones say, as layers of images. */
class CheckpointTest {

    private static final String ID = "a".repeat(64);
    private static final String SPEC = """
            {"process": {"terminal": false}, "mounts": [{"destination": "/proc"}, {"destination": "/data/", "type": "bind"}],
             "linux": {"namespaces": [{"type": "network", "path": "/proc/9/ns/net"}, {"type": "pid"}],
                       "maskedPaths": ["/proc/keys", "relative", 3]}}""";

    @TempDir
    private Path layer;

    @BeforeEach
    void write() throws IOException {
        Files.createDirectory(layer.resolve("checkpoint"));
        Files.writeString(layer.resolve("checkpoint/inventory.img"), "memory");
        Files.writeString(layer.resolve("config.dump"), "{\"rootfsImageName\": \"docker.io/library/busybox:1\"}");
        Files.writeString(layer.resolve("spec.dump"), SPEC);
    }

    private Checkpoint read() {
        return Checkpoint.read(new CheckpointSource.Layer(layer, "image x"));
    }

    private String refusal(RuntimeFault.Kind kind) {
        RuntimeFault fault = assertThrows(RuntimeFault.class, this::read);
        assertEquals(kind, fault.kind(), fault.getMessage());
        return fault.getMessage();
    }

    private static ObjectNode spec(String json) {
        return (ObjectNode) JsonMapper.shared().readTree(json);
    }

    private String misfit(String spec, Mount... asked) {
        return assertThrows(RuntimeFault.class, () ->
                FitToCheckpoint.fit("c", read(), List.of(asked), spec(spec))).getMessage();
    }

    @Test
    void aDigestDecidesWhichImageIsBelowAndATagOnlyWhereThereIsNone() throws IOException {
        assertEquals(List.of("docker.io/library/busybox:1"), read().images());
        Files.writeString(layer.resolve("config.dump"), "{\"rootfsImageName\": \"busybox:1\", \"rootfsImageRef\": \"" + ID
                + "\", \"rootfsImage\": \"busybox@sha256:" + ID + "\", \"checkpointedTime\": \"then\"}");
        assertEquals(List.of(ID, "busybox@sha256:" + ID), read().images());
        assertEquals("busybox:1", read().imageName());
        assertEquals("then", read().writtenAt());
    }

    @Test
    void whatIsNoCheckpointIsRefused() throws IOException {
        Files.writeString(layer.resolve("deleted.files"), "[\"/a\", 7]");
        assertTrue(refusal(RuntimeFault.Kind.INVALID_ARGUMENT).contains("no path"));
        Files.delete(layer.resolve("deleted.files"));
        Files.writeString(layer.resolve("spec.dump"), "[".repeat(100_000));
        assertTrue(refusal(RuntimeFault.Kind.INVALID_ARGUMENT).contains("no JSON"));
        Files.writeString(layer.resolve("spec.dump"), " ".repeat((8 << 20) + 1));
        assertTrue(refusal(RuntimeFault.Kind.INVALID_ARGUMENT).contains("limit"));
        Files.delete(layer.resolve("spec.dump"));
        Files.createDirectory(layer.resolve("spec.dump"));
        refusal(RuntimeFault.Kind.UNSUPPORTED);
    }

    @Test
    void aLinkInALayerLeadsNowhere() throws IOException {
        Files.delete(layer.resolve("config.dump"));
        Files.createSymbolicLink(layer.resolve("config.dump"), Path.of("/etc/passwd"));
        assertTrue(refusal(RuntimeFault.Kind.INVALID_ARGUMENT).contains("no config.dump"));
    }

    @Test
    void onlyFilesOfACheckpointAreUnpackedAndForTheirOwnerAlone() throws IOException {
        Files.writeString(layer.resolve("passwd"), "x");
        Files.writeString(layer.resolve("rootfs-diff.tar"), "changes");
        Path target = layer.resolve("target/restores/c");
        UnpackCheckpoint unpacked = new UnpackCheckpoint(target);
        unpacked.unpack(read().source());
        assertEquals("memory", Files.readString(unpacked.images().resolve("inventory.img")));
        assertEquals("rwx------", PosixFilePermissions.toString(Files.getPosixFilePermissions(target)));
        assertEquals(PosixFilePermissions.fromString("rw-------"),
                Files.getPosixFilePermissions(unpacked.images().resolve("inventory.img")));
        assertFalse(Files.exists(target.resolve("passwd")));
        assertFalse(Files.exists(target.resolve("config.dump")));
        assertTrue(unpacked.changes(read()).layer().isPresent());
    }

    @Test
    void whatDiffersFromTheRequestIsNamed() {
        String fits = "{\"mounts\": [{\"destination\": \"/proc\"}, {\"destination\": \"/data\"}], \"linux\": {\"namespaces\":"
                + " [{\"type\": \"network\", \"path\": \"/x\"}, {\"type\": \"pid\"}]}}";
        ObjectNode fitted = spec(fits);
        FitToCheckpoint.fit("c", read(), List.of(Mount.newBuilder().setContainerPath("/data").build()), fitted);
        assertEquals("[\"/proc/keys\"]", fitted.path("linux").path("maskedPaths").toString());
        assertTrue(misfit(fits.replace("/data", "/other")).contains("ask for mounts at /data"));
        assertTrue(misfit(fits, Mount.newBuilder().setContainerPath("/more/").build()).contains("no mounts at /more"));
        assertTrue(misfit(fits.replace("{\"mounts\"", "{\"process\": {\"terminal\": true}, \"mounts\"")).contains("no terminal"));
        assertTrue(misfit(fits.replace("\"pid\"", "\"pid\", \"path\": \"/x\"")).contains("its own pid namespace"));
        assertTrue(misfit(fits.replace(", \"path\": \"/x\"", "")).contains("the pod's network namespace"));
    }
}
