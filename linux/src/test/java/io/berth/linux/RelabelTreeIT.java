package io.berth.linux;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The attribute that holds a label can be set and read by root also on a kernel without SELinux. */
class RelabelTreeIT {

    private static final String LABEL = "system_u:object_r:container_file_t:s0:c1,c2";

    @TempDir
    Path root;

    private static String label(Path path) {
        try (Fd parent = Fd.openDirectory(path.getParent())) {
            return Inodes.attribute(parent, Inodes.name(path.getFileName().toString()), Selinux.ATTRIBUTE)
                    .map(value -> new String(value, StandardCharsets.UTF_8)).orElse("");
        }
    }

    @Test
    void everythingBelowGetsTheLabelAndNothingThatALinkLeadsTo() throws Exception {
        Path outside = Files.createDirectory(root.resolve("outside"));
        Files.writeString(outside.resolve("secret"), "x");
        Path volume = Files.createDirectory(root.resolve("volume"));
        Path deep = Files.createDirectories(volume.resolve("a/b/ü"));
        Files.writeString(deep.resolve("file"), "x");
        Path link = Files.createSymbolicLink(volume.resolve("link"), outside);
        String before = label(outside.resolve("secret"));
        RelabelTree.at(volume, LABEL);
        for (Path path : new Path[] {volume, volume.resolve("a"), deep, deep.resolve("file"), link}) {
            assertEquals(LABEL + "\0", label(path), path.toString());
        }
        assertEquals(before, label(outside.resolve("secret")));
        assertEquals(before, label(outside));
    }

    @Test
    void aFileAloneIsLabelled() throws Exception {
        Path file = Files.writeString(root.resolve("hosts"), "x");
        Path other = Files.writeString(root.resolve("other"), "x");
        String before = label(other);
        RelabelTree.at(file, LABEL);
        assertEquals(LABEL + "\0", label(file));
        assertEquals(before, label(other));
    }
}
