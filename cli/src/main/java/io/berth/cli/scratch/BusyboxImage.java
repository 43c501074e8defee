package io.berth.cli.scratch;

import io.berth.base.Digest;
import io.berth.base.RuntimeFault;
import io.berth.image.Platform;
import io.berth.linux.Command;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveOutputStream;
import org.apache.commons.compress.archivers.tar.TarConstants;

/**
 * A small image made on the spot from the node's own busybox, as an OCI image layout in a directory: one layer with the
 * program, a link for each of its applets, accounts and a web page. The same input gives the same digests.
 */
public final class BusyboxImage {

    /** What the image is called unless a caller says otherwise. */
    public static final String NAME = "berth.local/busybox:demo";

    private static final String MANIFEST = "application/vnd.oci.image.manifest.v1+json";
    private static final String CONFIG = "application/vnd.oci.image.config.v1+json";
    private static final String LAYER = "application/vnd.oci.image.layer.v1.tar";

    private final Path layout;

    private BusyboxImage(Path layout) {
        this.layout = layout;
    }

    /**
     * Writes the layout into {@code directory}, which is made.
     *
     * @param page what is at /www/index.html
     * @throws RuntimeFault FAILED_PRECONDITION when this node has no busybox
     */
    public static void write(Path directory, String page) {
        write(directory, NAME, page, List.of("sh"));
    }

    /** As {@link #write(Path, String)}, with another name and another command. */
    public static void write(Path directory, String name, String page, List<String> command) {
        write(directory, name, command, Map.of("www/index.html", text(page)));
    }

    /**
     * As the others, with files of one's own, also in the place of the accounts.
     *
     * @param files by their paths, in the directories that the image has
     */
    public static void write(Path directory, String name, List<String> command, Map<String, byte[]> files) {
        try {
            new BusyboxImage(directory).writeLayout(busybox(), name, command, files);
        } catch (IOException e) {
            throw RuntimeFault.internal("write image " + directory + ": " + RuntimeFault.reason(e), e);
        }
    }

    private static Path busybox() {
        return Stream.of(Command.searchPath().split(":")).map(directory -> Path.of(directory, "busybox"))
                .filter(Files::isExecutable).findFirst().orElseThrow(() -> RuntimeFault.precondition(
                        "make image: there is no busybox in PATH: install the package busybox-static"));
    }

    private void writeLayout(Path busybox, String name, List<String> command, Map<String, byte[]> own) throws IOException {
        Files.createDirectories(layout.resolve("blobs/sha256"));
        byte[] layer = layer(busybox, own);
        Digest diff = blob(layer);
        String architecture = Platform.host().architecture();
        byte[] config = """
                {"created":"2026-01-01T00:00:00Z","architecture":"%s","os":"linux",\
                "config":{"Env":["PATH=/bin"],"Cmd":["%s"],"WorkingDir":"/"},\
                "rootfs":{"type":"layers","diff_ids":["%s"]}}""".formatted(architecture, String.join("\",\"", command), diff)
                .getBytes(StandardCharsets.UTF_8);
        byte[] manifest = """
                {"schemaVersion":2,"mediaType":"%s","config":{"mediaType":"%s","digest":"%s","size":%d},\
                "layers":[{"mediaType":"%s","digest":"%s","size":%d}]}"""
                .formatted(MANIFEST, CONFIG, blob(config), config.length, LAYER, diff, layer.length)
                .getBytes(StandardCharsets.UTF_8);
        Files.writeString(layout.resolve("index.json"), """
                {"schemaVersion":2,"manifests":[{"mediaType":"%s","digest":"%s","size":%d,\
                "annotations":{"io.containerd.image.name":"%s"}}]}"""
                .formatted(MANIFEST, blob(manifest), manifest.length, name));
        Files.writeString(layout.resolve("oci-layout"), "{\"imageLayoutVersion\":\"1.0.0\"}");
    }

    private Digest blob(byte[] content) throws IOException {
        Digest digest = Digest.ofBytes(content);
        Files.write(layout.resolve("blobs/sha256").resolve(digest.hex()), content);
        return digest;
    }

    private static byte[] layer(Path busybox, Map<String, byte[]> own) throws IOException {
        Map<String, byte[]> files = new TreeMap<>(Map.of(
                "etc/passwd", text("root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/sh\n"),
                "etc/group", text("root:x:0:\nnogroup:x:65534:\n")));
        files.putAll(own);
        ByteArrayOutputStream bytes = new ByteArrayOutputStream(4 << 20);
        try (TarArchiveOutputStream tar = new TarArchiveOutputStream(bytes, "UTF-8")) {
            for (String directory : List.of("bin/", "etc/", "root/", "tmp/", "www/")) {
                entry(tar, directory, TarConstants.LF_DIR, directory.equals("tmp/") ? 01777 : 0755, new byte[0]);
            }
            entry(tar, "bin/busybox", TarConstants.LF_NORMAL, 0755, Files.readAllBytes(busybox));
            for (String applet : applets(busybox)) {
                TarArchiveEntry link = new TarArchiveEntry("bin/" + applet, TarConstants.LF_SYMLINK);
                link.setLinkName("busybox");
                link.setModTime(0);
                tar.putArchiveEntry(link);
                tar.closeArchiveEntry();
            }
            for (Map.Entry<String, byte[]> file : files.entrySet()) {
                entry(tar, file.getKey(), TarConstants.LF_NORMAL, 0644, file.getValue());
            }
        }
        return bytes.toByteArray();
    }

    private static List<String> applets(Path busybox) {
        return Command.of(List.of(busybox.toString(), "--list"), Duration.ofSeconds(10)).run().stdoutText().lines()
                .filter(name -> name.matches("[a-z0-9_\\[-]+") && !name.equals("busybox")).toList();
    }

    private static void entry(TarArchiveOutputStream tar, String name, byte type, int mode, byte[] content)
            throws IOException {
        TarArchiveEntry entry = new TarArchiveEntry(name, type);
        entry.setMode(mode);
        entry.setModTime(0);
        entry.setSize(content.length);
        tar.putArchiveEntry(entry);
        tar.write(content);
        tar.closeArchiveEntry();
    }

    private static byte[] text(String content) {
        return content.getBytes(StandardCharsets.UTF_8);
    }
}
