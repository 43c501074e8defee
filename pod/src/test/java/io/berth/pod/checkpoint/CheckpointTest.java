package io.berth.pod.checkpoint;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.UnknownFieldSet;
import io.berth.base.RuntimeFault;
import io.berth.cri.v1.Mount;
import io.berth.cri.v1.MountPropagation;
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
        mounts("/", 0, "/data", 0, "/proc/sys", 1, "/sys/fs/cgroup", 0, "/sys/fs/cgroup/cpu", 1);
        Files.write(layer.resolve("checkpoint/core-1.img"), CriuBytes.core(CriuBytes.message(1, 0)));
        Files.writeString(layer.resolve("config.dump"), "{\"rootfsImageName\": \"docker.io/library/busybox:1\"}");
        Files.writeString(layer.resolve("spec.dump"), SPEC);
    }

    private void mounts(Object... pathsAndFlags) throws IOException {
        Files.write(layer.resolve("checkpoint/mountpoints-13.img"), CriuBytes.mounts(pathsAndFlags));
    }

    private void fit(ObjectNode spec, Mount... asked) {
        FitToCheckpoint.fit("c", read(), List.of(asked), spec, layer.resolve("checkpoint"), layer);
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
        return assertThrows(RuntimeFault.class, () -> fit(spec(spec), asked)).getMessage();
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
        unpacked.unpack(read());
        assertEquals("memory", Files.readString(unpacked.images().resolve("inventory.img")));
        assertEquals("rwx------", PosixFilePermissions.toString(Files.getPosixFilePermissions(target)));
        assertEquals(PosixFilePermissions.fromString("rw-------"),
                Files.getPosixFilePermissions(unpacked.images().resolve("inventory.img")));
        assertFalse(Files.exists(target.resolve("passwd")));
        assertFalse(Files.exists(target.resolve("config.dump")));
        assertTrue(unpacked.changes(read()).layer().isPresent());
    }

    @Test
    void whatIsChangedBetweenItsTwoReadingsIsNotUnpacked() throws IOException {
        for (String name : List.of("spec.dump", "config.dump", "deleted.files")) {
            Checkpoint before = read();
            Files.writeString(layer.resolve(name), "[]");
            RuntimeFault fault = assertThrows(RuntimeFault.class, () ->
                    new UnpackCheckpoint(layer.resolve("target/" + name)).unpack(before));
            assertEquals(RuntimeFault.Kind.DATA_LOSS, fault.kind(), fault.getMessage());
            Files.writeString(layer.resolve("spec.dump"), SPEC);
            Files.writeString(layer.resolve("config.dump"), "{\"rootfsImageName\": \"docker.io/library/busybox:1\"}");
        }
    }

    @Test
    void whatDiffersFromTheRequestIsNamed() throws IOException {
        mounts("/", 0, "/proc", 0, "/data", 0, "/proc/keys", 0);
        String fits = "{\"mounts\": [{\"destination\": \"/proc\"}, {\"destination\": \"/data\"}], \"linux\": {\"namespaces\":"
                + " [{\"type\": \"network\", \"path\": \"/x\"}, {\"type\": \"pid\"}]}}";
        ObjectNode fitted = spec(fits);
        fit(fitted, Mount.newBuilder().setContainerPath("/data").build());
        assertEquals("[\"/proc/keys\"]", fitted.path("linux").path("maskedPaths").toString());
        assertTrue(misfit(fits.replace("/data", "/other")).contains("ask for mounts at /data"));
        assertTrue(misfit(fits, Mount.newBuilder().setContainerPath("/more/").build()).contains("no mounts at /more"));
        assertTrue(misfit(fits.replace("{\"mounts\"", "{\"process\": {\"terminal\": true}, \"mounts\"")).contains("no terminal"));
        assertTrue(misfit(fits.replace("\"pid\"", "\"pid\", \"path\": \"/x\"")).contains("its own pid namespace"));
        assertTrue(misfit(fits.replace(", \"path\": \"/x\"", "")).contains("the pod's network namespace"));
    }

    private static final String FITS = "{\"mounts\": [{\"destination\": \"/proc\"}, {\"destination\": \"/data\","
            + " \"options\": [\"rw\"]}, {\"destination\": \"/sys/fs/cgroup\", \"type\": \"cgroup\", \"options\": [\"ro\"]}],"
            + " \"root\": {\"readonly\": false}, \"linux\": {\"readonlyPaths\": [\"/proc/sys\", \"/proc/missing\"],"
            + " \"namespaces\": [{\"type\": \"network\", \"path\": \"/x\"}, {\"type\": \"pid\"}]}}";

    @Test
    void whatCriuWouldLetItWriteToIsTheRequestsDecision() throws IOException {
        fit(spec(FITS));
        assertTrue(misfit(FITS.replace("\"rw\"", "\"ro\"")).contains("could write to /data"));
        assertTrue(misfit(FITS.replace("\"rw\"", "\"rro\"")).contains("could write to /data"));
        assertTrue(misfit(FITS.replace("\"readonly\": false", "\"readonly\": true")).contains("could write to /,"));
        assertTrue(misfit(FITS.replace("[\"ro\"]", "[\"rw\"]")).contains("could not write to /sys/fs/cgroup/cpu"));
        mounts("/", 0, "/data", 1, "/proc/sys", 1);
        assertTrue(misfit(FITS).contains("could not write to /data"));
        mounts("/", 0, "/data", 0);
        assertTrue(misfit(FITS).contains("could write to /proc/sys"));
        mounts("/", 0, "/data", 0, "/proc/sys", 1, "/proc/sys", 0);
        assertTrue(misfit(FITS).contains("could write to /proc/sys"));
        mounts("/", 0, "/data", 0, "/proc/sys", 1, "/sys/fs/cgroup", 0);
        assertTrue(misfit(FITS).contains("could write to /sys/fs/cgroup"));
        mounts("/", 0, "/data", 0, "/proc/sys", 1, "/sys/fs/cgroup", 1, "/dev/console", 0, "/disk", 0);
        assertTrue(misfit(FITS).contains("had mounted something at /disk"));
        fit(spec(FITS.replace("\"root\":",
                "\"process\": {\"capabilities\": {\"bounding\": [\"CAP_SYS_ADMIN\"]}}, \"root\":")));
    }

    @Test
    void whatCriuWouldShowAndShareIsTheRequestsDecisionToo() throws IOException {
        String hides = FITS.replace("\"linux\": {", "\"linux\": {\"maskedPaths\": [\"/proc/keys\", \"/proc/kcore\"], ");
        assertTrue(misfit(hides).contains("nothing was hidden"));
        mounts("/", 0, "/data", 0, "/proc/sys", 1, "/proc/keys", 0, "/sys/fs/cgroup", 1);
        fit(spec(hides));
        Mount data = Mount.newBuilder().setContainerPath("/data/").build();
        fit(spec(hides), data);
        assertTrue(misfit(FITS, data.toBuilder().setPropagation(MountPropagation.PROPAGATION_BIDIRECTIONAL).build())
                .contains("the node would not see"));
        Mount follows = data.toBuilder().setPropagation(MountPropagation.PROPAGATION_HOST_TO_CONTAINER).build();
        assertTrue(misfit(FITS, follows).contains("another propagation"));
        Files.write(layer.resolve("checkpoint/mountpoints-13.img"), new CriuBytes(CriuBytes.MOUNTS)
                .entry(CriuBytes.message(5, 0, 7, "/data", 11, 2)).entry(CriuBytes.message(5, 1, 7, "/proc/sys")).bytes());
        fit(spec(FITS), follows);
        assertTrue(misfit(FITS, data).contains("another propagation"));
    }

    private void sockets(UnknownFieldSet.Builder... sockets) throws IOException {
        CriuBytes files = new CriuBytes(CriuBytes.FILES);
        for (UnknownFieldSet.Builder socket : sockets) {
            files.entry(CriuBytes.message(1, 4, 2, 1, 4, socket));
        }
        Files.write(layer.resolve("checkpoint/files.img"), files.bytes());
    }

    private void addresses(String... own) {
        FitToCheckpoint.addresses("c", read(), List.of(own), layer.resolve("checkpoint"));
    }

    @Test
    void aSocketThatIsBoundToAnAddressWhichThePodDoesNotHaveIsRefused() throws IOException {
        int old = 10 | 1 << 8 | 2 << 16 | 3 << 24;
        sockets(CriuBytes.message(4, 1, 6, 10, 7, 80, 11, 0), CriuBytes.message(4, 1, 6, 10, 7, 80, 11, 127 | 1 << 24),
                CriuBytes.message(4, 1, 6, 1, 7, 80, 11, old), CriuBytes.message(4, 2, 6, 7, 7, 0, 11, old),
                CriuBytes.message(4, 1, 6, 10, 7, 80, 11, old, 16, CriuBytes.message(1, 1)));
        addresses("10.0.0.9");
        sockets(CriuBytes.message(4, 1, 6, 10, 7, 80, 11, old));
        addresses("10.1.2.3");
        assertTrue(assertThrows(RuntimeFault.class, () -> addresses("10.0.0.9")).getMessage()
                .contains("bound to 10.1.2.3, which is not an address of this pod (10.0.0.9)"));
        sockets(CriuBytes.message(4, 2, 6, 7, 7, 53, 11, old));
        assertThrows(RuntimeFault.class, () -> addresses("10.0.0.9"));
        sockets(CriuBytes.message(4, 1, 6, 10, 7, 80, 11, 0xfd, 11, 0, 11, 0, 11, 1 << 24));
        addresses("10.0.0.9", "fd00::1");
        assertThrows(RuntimeFault.class, () -> addresses("10.0.0.9", "fd00::2"));
    }

    @Test
    void imagesOfCriuThatAreNoneAreRefused() throws IOException {
        Path image = layer.resolve("checkpoint/mountpoints-13.img");
        for (byte[] hostile : List.of(new byte[0], new byte[7], new CriuBytes(CriuBytes.CORE).bytes(),
                new CriuBytes(CriuBytes.MOUNTS).number(-1).bytes(), new CriuBytes(CriuBytes.MOUNTS).number(1 << 30).bytes(),
                new CriuBytes(CriuBytes.MOUNTS).number(9).number(1).bytes(),
                new CriuBytes(CriuBytes.MOUNTS).number(4).number(-1).bytes(),
                new CriuBytes(CriuBytes.MOUNTS).entry(CriuBytes.message(5, 1, 5, 0, 7, "/data")).bytes(),
                new CriuBytes(CriuBytes.MOUNTS).entry(CriuBytes.message(5, "1", 7, "/data")).bytes())) {
            Files.write(image, hostile);
            assertTrue(misfit(FITS).contains("CRIU's image"), misfit(FITS));
        }
        Files.delete(image);
        assertTrue(misfit(FITS).contains("not there"));
    }

    @Test
    void whatCriOMountsUnaskedIsThereAgain() throws IOException {
        Files.writeString(layer.resolve("spec.dump"), SPEC.replace("{\"destination\": \"/proc\"}",
                "{\"destination\": \"/proc\"}, {\"destination\": \"/run/.containerenv\", \"type\": \"bind\"}"));
        ObjectNode fitted = spec(FITS);
        fit(fitted);
        var last = fitted.path("mounts").path(3);
        assertEquals("/run/.containerenv", last.path("destination").asString());
        assertEquals(0, Files.size(Path.of(last.path("source").asString())));
    }

    @Test
    void theModeOfTheRootIsTakenFromTheCheckpointAndNotWrittenToOne() throws IOException {
        Path files = layer.resolve("checkpoint/files.img");
        var other = CriuBytes.message(1, 1, 2, 2, 3, CriuBytes.message(6, "/bin/sh", 10, 0100755));
        Files.write(files, new CriuBytes(CriuBytes.FILES).entry(other)
                .entry(CriuBytes.message(1, 1, 2, 1, 3, CriuBytes.message(1, 1, 6, "/", 10, 040555))).bytes());
        assertEquals(0555, new UnpackCheckpoint(layer).changes(read()).rootMode().getAsInt());
        ForgetRootMode.in(layer.resolve("checkpoint"));
        assertTrue(new UnpackCheckpoint(layer).changes(read()).rootMode().isEmpty());
        assertArrayEquals(new CriuBytes(CriuBytes.FILES).entry(other)
                .entry(CriuBytes.message(1, 1, 2, 1, 3, CriuBytes.message(1, 1, 6, "/"))).bytes(), Files.readAllBytes(files));
        byte[] unknown = new CriuBytes(CriuBytes.FILES).number(9).bytes();
        Files.write(files, unknown);
        ForgetRootMode.in(layer.resolve("checkpoint"));
        assertArrayEquals(unknown, Files.readAllBytes(files));
    }
}
