package io.berth.image;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.berth.base.Digest;
import io.berth.base.RuntimeFault;
import io.berth.base.RuntimeFault.Kind;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import java.util.zip.GZIPOutputStream;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveOutputStream;
import org.apache.commons.compress.archivers.tar.TarConstants;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ImportImageTest {

    @TempDir
    Path root;

    private final FakeUnpacker unpacker = new FakeUnpacker();
    private Images images;
    private ImportImage importing;

    /** Fills an archive. */
    interface Filler {
        void fill(TarArchiveOutputStream tar) throws IOException;
    }

    @BeforeEach
    void open() {
        images = new Images(root, Unpackers.only(unpacker), name -> false);
        importing = new ImportImage(images, Platform.host());
    }

    @AfterEach
    void nothingIsLeftInIngest() throws IOException {
        try (var files = Files.list(root.resolve("content/ingest"))) {
            assertEquals(List.of(), files.toList());
        }
    }

    private Path archive(boolean gzip, Filler filler) throws IOException {
        Path file = root.resolve("archive.tar");
        try (OutputStream out = Files.newOutputStream(file); OutputStream packed = gzip ? new GZIPOutputStream(out) : out;
                TarArchiveOutputStream tar = new TarArchiveOutputStream(packed)) {
            tar.setLongFileMode(TarArchiveOutputStream.LONGFILE_POSIX);
            filler.fill(tar);
        }
        return file;
    }

    private static void file(TarArchiveOutputStream tar, String name, byte[] content) throws IOException {
        TarArchiveEntry entry = new TarArchiveEntry(name, true);
        entry.setSize(content.length);
        tar.putArchiveEntry(entry);
        tar.write(content);
        tar.closeArchiveEntry();
    }

    private static void link(TarArchiveOutputStream tar, String name, String target) throws IOException {
        TarArchiveEntry entry = new TarArchiveEntry(name, TarConstants.LF_SYMLINK);
        entry.setLinkName(target);
        tar.putArchiveEntry(entry);
        tar.closeArchiveEntry();
    }

    private static byte[] dockerConfig(String... layers) {
        StringBuilder ids = new StringBuilder();
        for (String layer : layers) {
            ids.append(ids.isEmpty() ? "" : ",").append('"').append(Digest.ofBytes(TestImage.bytes(layer))).append('"');
        }
        return TestImage.bytes("{\"architecture\":\"" + Platform.host().architecture()
                + "\",\"os\":\"linux\",\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[" + ids + "]}}");
    }

    @Test
    void anArchiveOfDockerSaveIsImportedWithItsNames() throws IOException {
        byte[] config = dockerConfig("one", "one", "two");
        Path file = archive(true, tar -> {
            file(tar, "a/layer.tar", TestImage.bytes("one"));
            link(tar, "b/layer.tar", "../a/layer.tar");
            file(tar, "./c/layer.tar", TestImage.bytes("two"));
            file(tar, "config.json", config);
            file(tar, "manifest.json", TestImage.bytes("[{\"Config\":\"config.json\",\"RepoTags\":[\"app:1\",\"r.example/app:2\"],"
                    + "\"Layers\":[\"a/layer.tar\",\"b/layer.tar\",\"c/layer.tar\"]}]"));
        });
        Image image = importing.importFrom(file, Optional.empty()).getFirst();
        assertEquals(Digest.ofBytes(config), image.id());
        assertEquals(List.of("docker.io/library/app:1", "r.example/app:2"), image.repoTags());
        assertEquals(3, image.chainIds().size());
        assertTrue(unpacker.chains().containsAll(image.chainIds()));
        assertEquals(image.id(), importing.importFrom(file, Optional.of("mine")).getFirst().id());
        assertTrue(images.find("mine:latest").isPresent());
        assertEquals(images.list(), new Images(root, Unpackers.only(unpacker), name -> false).list());
    }

    @Test
    void anArchiveOfALayoutIsImported() throws IOException {
        TestImage made = new TestImage("x", "y");
        Path file = archive(false, tar -> {
            file(tar, "oci-layout", TestImage.bytes("{\"imageLayoutVersion\":\"1.0.0\"}"));
            for (var blob : made.blobs.entrySet()) {
                file(tar, "blobs/sha256/" + blob.getKey().hex(), blob.getValue());
            }
            file(tar, "blobs/sha256/" + made.manifestDigest().hex(), made.manifest);
            file(tar, "index.json", TestImage.bytes("{\"schemaVersion\":2,\"manifests\":["
                    + TestImage.descriptor(MediaTypes.OCI_MANIFEST, made.manifest).replaceFirst("}$",
                            ",\"annotations\":{\"org.opencontainers.image.ref.name\":\"v1\"}}") + "]}"));
        });
        assertEquals(Kind.INVALID_ARGUMENT,
                assertThrows(RuntimeFault.class, () -> importing.importFrom(file, Optional.empty())).kind());
        Image image = importing.importFrom(file, Optional.of("r.example/app:v1")).getFirst();
        assertEquals(made.id(), image.id());
        assertEquals(List.of("r.example/app:v1"), image.repoTags());
        assertEquals(Optional.empty(), image.index());
    }

    @Test
    void hostileArchivesAreRefused() throws IOException {
        String one = "[{\"Config\":\"config.json\",\"RepoTags\":[\"app:1\"],\"Layers\":[\"l\"]}]";
        for (Filler filler : List.<Filler>of(
                tar -> file(tar, "../../evil", TestImage.bytes("x")),
                tar -> file(tar, "a/../../evil", TestImage.bytes("x")),
                tar -> {
                    file(tar, "config.json", dockerConfig("one"));
                    link(tar, "l", "/etc/passwd");
                    file(tar, "manifest.json", TestImage.bytes(one));
                },
                tar -> {
                    file(tar, "config.json", dockerConfig("one"));
                    link(tar, "l", "m");
                    link(tar, "m", "l");
                    file(tar, "manifest.json", TestImage.bytes(one));
                },
                tar -> {
                    file(tar, "config.json", dockerConfig("another"));
                    file(tar, "l", TestImage.bytes("one"));
                    file(tar, "manifest.json", TestImage.bytes(one));
                },
                tar -> file(tar, "manifest.json", TestImage.bytes("{")),
                tar -> file(tar, "something", TestImage.bytes("x")))) {
            Path file = archive(false, filler);
            RuntimeFault fault = assertThrows(RuntimeFault.class, () -> importing.importFrom(file, Optional.empty()));
            assertTrue(fault.kind() == Kind.DATA_LOSS || fault.kind() == Kind.INVALID_ARGUMENT, fault.toString());
        }
        Path junk = Files.write(root.resolve("junk"), "no tar at all".repeat(100).getBytes(StandardCharsets.UTF_8));
        assertThrows(RuntimeFault.class, () -> importing.importFrom(junk, Optional.empty()));
        assertEquals(Kind.NOT_FOUND, assertThrows(RuntimeFault.class,
                () -> importing.importFrom(root.resolve("absent"), Optional.empty())).kind());
        assertTrue(images.list().isEmpty());
    }

    /** Notes what is asked and refuses {@code refused}. */
    private ImportImage judged(List<String> asked, String refused) {
        return new ImportImage(images, Platform.host(), (name, digests, source) -> {
            asked.add(source + " " + name + " " + digests.stream().map(Digest::toString).sorted().toList());
            if (name.toString().equals(refused)) {
                throw new RuntimeFault(Kind.PERMISSION_DENIED, "not " + name);
            }
        });
    }

    private List<String> blobs() throws IOException {
        try (var files = Files.walk(root.resolve("content/blobs"))) {
            return files.filter(Files::isRegularFile).map(file -> file.getFileName().toString()).sorted().toList();
        }
    }

    @Test
    void anImageOfDockerSaveIsJudgedUnderEachNameBeforeAnythingOfItIsStored() throws IOException {
        byte[] config = dockerConfig("one");
        Path file = archive(false, tar -> {
            file(tar, "l", TestImage.bytes("one"));
            file(tar, "config.json", config);
            file(tar, "manifest.json", TestImage.bytes(
                    "[{\"Config\":\"config.json\",\"RepoTags\":[\"app:1\",\"r.example/app:2\"],\"Layers\":[\"l\"]}]"));
        });
        List<String> asked = new ArrayList<>();
        RuntimeFault fault = assertThrows(RuntimeFault.class,
                () -> judged(asked, "r.example/app:2").importFrom(file, Optional.empty()));
        assertEquals(Kind.PERMISSION_DENIED, fault.kind());
        assertEquals(2, asked.size());
        assertTrue(asked.getFirst().startsWith("FILE docker.io/library/app:1 [sha256:"), asked.toString());
        assertEquals(List.of(), images.list());
        assertEquals(List.of(), blobs());
        Image image = judged(asked, "").importFrom(file, Optional.of("mine")).getFirst();
        assertEquals("FILE docker.io/library/mine:latest [" + image.manifest() + "]", asked.getLast());
    }

    @Test
    void anImageOfALayoutIsJudgedByItsDigestsBeforeItsLayersAreStored() throws IOException {
        TestImage made = new TestImage("x", "y");
        Path file = archive(false, tar -> {
            file(tar, "oci-layout", TestImage.bytes("{\"imageLayoutVersion\":\"1.0.0\"}"));
            for (var blob : made.blobs.entrySet()) {
                file(tar, "blobs/sha256/" + blob.getKey().hex(), blob.getValue());
            }
            file(tar, "blobs/sha256/" + made.manifestDigest().hex(), made.manifest);
            file(tar, "blobs/sha256/" + made.indexDigest().hex(), made.index);
            file(tar, "index.json", TestImage.bytes("{\"schemaVersion\":2,\"manifests\":["
                    + TestImage.descriptor(MediaTypes.OCI_INDEX, made.index) + "]}"));
        });
        List<String> asked = new ArrayList<>();
        assertThrows(RuntimeFault.class, () -> judged(asked, "r.example/app:v1").importFrom(file, Optional.of("r.example/app:v1")));
        assertEquals(List.of("FILE r.example/app:v1 " + Stream.of(made.manifestDigest(), made.indexDigest())
                .map(Digest::toString).sorted().toList()), asked);
        assertEquals(List.of(), images.list());
        assertEquals(Stream.of(made.manifestDigest(), made.indexDigest()).map(Digest::hex).sorted().toList(), blobs());
    }
}
