package io.berth.it;

import com.google.protobuf.ByteString;
import com.google.protobuf.UnknownFieldSet;
import com.google.protobuf.UnknownFieldSet.Field;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.zip.GZIPOutputStream;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveOutputStream;

/**
 * Archives of checkpoints in the shape that the peers write, without any memory in them: everything up to the restore itself
 * can be tried with these where CRIU does not work. The container had changed /etc/passwd, had made /new, and had deleted
 * /www/index.html; its root directory had the mode that the peer gives it.
 */
final class PeerArchive {

    private static final String KERNEL_MOUNTS = """
            {"destination": "/proc", "type": "proc", "source": "proc", "options": ["nosuid", "noexec", "nodev"]},
            {"destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": ["nosuid"]},
            {"destination": "/dev/pts", "type": "devpts", "source": "devpts"},
            {"destination": "/dev/mqueue", "type": "mqueue", "source": "mqueue"},
            {"destination": "/sys", "type": "sysfs", "source": "sysfs", "options": ["ro"]},
            {"destination": "/sys/fs/cgroup", "type": "cgroup", "source": "cgroup", "options": ["ro"]},
            """;

    private final Map<String, byte[]> files = new LinkedHashMap<>();
    private final ByteArrayOutputStream mounts = image(0x55563928);

    private PeerArchive() {
        for (String path : List.of("/proc", "/dev", "/dev/pts", "/dev/mqueue", "/sys/fs/cgroup", "/dev/shm", "/")) {
            mount(path, 0);
        }
        for (String path : List.of("/sys", "/sys/fs/cgroup/cpu", "/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys",
                "/sys/firmware")) {
            mount(path, 1);
        }
    }

    /** As CRI-O writes it. */
    static PeerArchive ofCriO(String imageId, String imageName) throws IOException {
        PeerArchive archive = new PeerArchive();
        archive.text("stats-dump", "x").text("dump.log", "(00.000001) Version: 4.2\n");
        archive.config("k8s_c_pod_default_uid_0", imageName, imageId.substring(imageId.indexOf(':') + 1), imageName, "runc");
        archive.spec("""
                {"destination": "/dev/shm", "type": "bind", "source": "/run/pod/shm", "options": ["rw", "bind"]},
                {"destination": "/etc/resolv.conf", "type": "bind", "source": "/run/pod/resolv.conf", "options": ["bind"]},
                {"destination": "/etc/hostname", "type": "bind", "source": "/run/pod/hostname", "options": ["rw", "bind"]},
                {"destination": "/run/.containerenv", "type": "bind", "source": "/run/pod/env", "options": ["rw", "bind"]}
                """, "/run/namespaces/%1$s/x", "{\"io.kubernetes.cri-o.Annotations\": \"{}\"}");
        archive.mount("/run/.containerenv", 0);
        archive.text("bind.mounts", "[{\"source\": \"/run/pod/hostname\", \"destination\": \"/etc/hostname\","
                + " \"file_type\": \"file\", \"permissions\": 420}]");
        archive.files.put("rootfs-diff.tar", tar(Map.of("etc/passwd", bytes("root:x:0:0:changed:/:/bin/sh\n"),
                "new", bytes("new\n"))));
        archive.text("deleted.files", "[\n  \"/www/index.html\"\n]");
        archive.text("io.kubernetes.cri-o.LogPath", "2026-01-01T00:00:00Z stdout F before\n");
        return archive.images(040555);
    }

    /** As containerd writes it. */
    static PeerArchive ofContainerd(String imageRef, String imageName) throws IOException {
        PeerArchive archive = new PeerArchive();
        archive.config("c_pod_default_uid_0", imageName, imageRef, imageName, "io.containerd.runc.v2");
        archive.text("container.log", "2026-01-01T00:00:00Z stdout F before\n").text("dump.log", "x").text("stats-dump", "x");
        ByteArrayOutputStream layer = new ByteArrayOutputStream();
        try (GZIPOutputStream zip = new GZIPOutputStream(layer)) {
            zip.write(tar(Map.of("etc/passwd", bytes("root:x:0:0:changed:/:/bin/sh\n"), "new", bytes("new\n"),
                    "www/.wh.index.html", new byte[0])));
        }
        archive.files.put("rootfs-diff.tar", layer.toByteArray());
        archive.spec("""
                {"destination": "/etc/hosts", "type": "bind", "source": "/run/pod/hosts", "options": ["rbind", "rw"]},
                {"destination": "/etc/hostname", "type": "bind", "source": "/run/pod/hostname", "options": ["rbind", "rw"]},
                {"destination": "/etc/resolv.conf", "type": "bind", "source": "/run/pod/resolv.conf", "options": ["rw"]},
                {"destination": "/dev/shm", "type": "bind", "source": "/run/pod/shm", "options": ["rbind", "rw"]}
                """, "/proc/1/ns/%1$s", "{\"io.kubernetes.cri.container-name\": \"c\"}");
        archive.text("status.dump", "{\"metadata\": {\"name\": \"c\"}, \"state\": 1}").text("status", "{}");
        return archive.images(040755);
    }

    /** With a volume, which had been mounted with these flags. */
    PeerArchive volume(String path, int flags) {
        String spec = new String(files.get("spec.dump"), StandardCharsets.UTF_8);
        mount(path, flags);
        return text("spec.dump", spec.replace("\"mounts\": [", "\"mounts\": [{\"destination\": \"" + path
                + "\", \"type\": \"bind\", \"source\": \"/x\"}, "));
    }

    private void mount(String path, int flags) {
        entry(mounts, message(5, flags, 7, path));
    }

    /** Another file, or one in the place of what it has. */
    PeerArchive text(String name, String content) {
        files.put(name, bytes(content));
        return this;
    }

    private void config(String name, String image, String ref, String imageName, String runtime) {
        text("config.dump", """
                {"id": "%s", "name": "%s", "rootfsImage": "%s", "rootfsImageRef": "%s", "rootfsImageName": "%s",
                 "runtime": "%s", "createdTime": "2026-01-01T00:00:00.5Z", "checkpointedTime": "2026-01-01T00:01:00.5Z",
                 "restoredTime": "0001-01-01T00:00:00Z", "restored": false}
                """.formatted("a".repeat(64), name, image, ref, imageName, runtime));
    }

    private void spec(String podMounts, String namespace, String annotations) {
        StringBuilder namespaces = new StringBuilder("{\"type\": \"pid\"}, {\"type\": \"mount\"}");
        for (String type : List.of("network", "ipc", "uts")) {
            namespaces.append(", {\"type\": \"").append(type).append("\", \"path\": \"")
                    .append(namespace.formatted(type)).append("\"}");
        }
        text("spec.dump", """
                {"ociVersion": "1.2.1", "process": {"args": ["sleep", "1000"], "user": {"uid": 0, "gid": 0}},
                 "root": {"path": "/merged"}, "mounts": [%s %s], "annotations": %s,
                 "linux": {"namespaces": [%s], "maskedPaths": ["/sys/firmware"], "readonlyPaths": ["/proc/bus",
                 "/proc/fs", "/proc/irq", "/proc/sys"]}}
                """.formatted(KERNEL_MOUNTS, podMounts, annotations, namespaces));
    }

    private PeerArchive images(int rootMode) {
        ByteArrayOutputStream open = image(0x56303138);
        entry(open, message(1, 1, 2, 1, 3, message(1, 1, 6, "/", 10, rootMode)));
        files.put("checkpoint/files.img", open.toByteArray());
        ByteArrayOutputStream thread = image(0x55053847);
        entry(thread, message(1, 1, 3, message(1, 1), 5, message(10, message(1, 0, 11, 1, 11, 0))));
        files.put("checkpoint/core-1.img", thread.toByteArray());
        return text("checkpoint/inventory.img", "x").text("checkpoint/pstree.img", "x");
    }

    /** Writes it; root's alone. */
    Path write(Path archive) throws IOException {
        files.put("checkpoint/mountpoints-13.img", mounts.toByteArray());
        Files.write(archive, tar(files));
        Files.setPosixFilePermissions(archive, PosixFilePermissions.fromString("rw-------"));
        return archive;
    }

    private static byte[] tar(Map<String, byte[]> files) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (OutputStream out = bytes; TarArchiveOutputStream tar = new TarArchiveOutputStream(out)) {
            for (Map.Entry<String, byte[]> file : files.entrySet()) {
                TarArchiveEntry entry = new TarArchiveEntry(file.getKey());
                entry.setSize(file.getValue().length);
                tar.putArchiveEntry(entry);
                tar.write(file.getValue());
                tar.closeArchiveEntry();
            }
        }
        return bytes.toByteArray();
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    private static ByteArrayOutputStream image(int magic) {
        ByteArrayOutputStream image = new ByteArrayOutputStream();
        number(image, 0x54564319);
        number(image, magic);
        return image;
    }

    private static void number(ByteArrayOutputStream image, int number) {
        image.writeBytes(ByteBuffer.allocate(Integer.BYTES).order(ByteOrder.LITTLE_ENDIAN).putInt(number).array());
    }

    private static void entry(ByteArrayOutputStream image, UnknownFieldSet message) {
        byte[] raw = message.toByteArray();
        number(image, raw.length);
        image.writeBytes(raw);
    }

    private static UnknownFieldSet message(Object... fieldsAndValues) {
        UnknownFieldSet.Builder message = UnknownFieldSet.newBuilder();
        for (int i = 0; i < fieldsAndValues.length; i += 2) {
            Field.Builder field = Field.newBuilder();
            switch (fieldsAndValues[i + 1]) {
                case Number number -> field.addVarint(number.longValue());
                case UnknownFieldSet inner -> field.addLengthDelimited(inner.toByteString());
                case Object text -> field.addLengthDelimited(ByteString.copyFromUtf8(text.toString()));
            }
            message.addField((Integer) fieldsAndValues[i], field.build());
        }
        return message.build();
    }
}
