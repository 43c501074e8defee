package io.berth.snapshot;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.berth.base.Digest;
import io.berth.base.RuntimeFault;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.SequenceInputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.Enumeration;
import java.util.HexFormat;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.IntFunction;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * Layers that are large or made to hurt are unpacked, or refused, in a heap of 16 MiB: a quarter of the daemon's, which
 * unpacks three at once. Needs root.
 */
class SmallHeapIT {

    private Path root;

    @BeforeEach
    void makeDirectory() throws IOException {
        assumeTrue(System.getProperty("user.name").equals("root"), "skipped: needs root for trusted attributes");
        // Nothing here is about the disk, which takes a minute for so many directories.
        Path memory = Path.of("/dev/shm");
        root = Files.isDirectory(memory) ? Files.createTempDirectory(memory, "berth-heap-")
                : Files.createTempDirectory("berth-heap-");
    }

    @AfterEach
    void removeDirectory() {
        if (root != null) {
            RemoveTree.at(root);
        }
    }

    private String unpack(String layer) throws Exception {
        Path said = root.resolve("said");
        Process child = new ProcessBuilder(Path.of(System.getProperty("java.home"), "bin/java").toString(), "-Xmx16m",
                "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:+ExitOnOutOfMemoryError",
                "--enable-native-access=ALL-UNNAMED", "-cp", System.getProperty("java.class.path"),
                Unpack.class.getName(), layer, root.toString()).redirectErrorStream(true)
                .redirectOutput(said.toFile()).start();
        try {
            assertTrue(child.waitFor(5, TimeUnit.MINUTES), "it does not end");
        } finally {
            child.destroyForcibly();
        }
        String all = Files.readString(said);
        return all.lines().filter(line -> line.startsWith("done: ")).findFirst().orElse(all);
    }

    @Test
    void directoriesWithTwentyMegabytesOfNames() throws Exception {
        assertEquals("done: all", unpack("directories"));
    }

    @Test
    void deepDirectoriesThatAreLeftOut() throws Exception {
        assertEquals("done: all", unpack("left-out"));
    }

    @Test
    void fiftyThousandDirectoriesThatAreLeftOut() throws Exception {
        assertEquals("done: all", unpack("many-left-out"));
    }

    @Test
    void manyHeadersForOneEntry() throws Exception {
        assertEquals("done: DATA_LOSS", unpack("headers"));
    }

    @Test
    void aHeaderWithTensOfThousandsOfAttributes() throws Exception {
        assertEquals("done: DATA_LOSS", unpack("attributes"));
    }

    @Test
    void aMapOfHalfAMillionPieces() throws Exception {
        assertEquals("done: DATA_LOSS", unpack("pieces"));
    }

    /** Runs in a process of its own. */
    static final class Unpack {

        public static void main(String[] args) throws Exception {
            String result;
            try {
                unpack(args[0], Path.of(args[1]));
                result = "all";
            } catch (RuntimeFault fault) {
                result = fault.kind().toString();
            }
            System.out.println("\ndone: " + result);
            System.out.flush();
            // What is done in the background is not of interest.
            Runtime.getRuntime().halt(0);
        }

        private static void unpack(String layer, Path root) throws Exception {
            Digest id = digest(stream(layer));
            new Snapshots(root, UnpackLimits.DEFAULT, "boot").unpack(Optional.empty(), id, id,
                    "application/vnd.oci.image.layer.v1.tar", stream(layer));
        }

        private static Digest digest(InputStream in) throws Exception {
            MessageDigest hash = MessageDigest.getInstance("SHA-256");
            byte[] buffer = new byte[64 * 1024];
            for (int count; (count = in.read(buffer)) > 0;) {
                hash.update(buffer, 0, count);
            }
            return Digest.parse("sha256:" + HexFormat.of().formatHex(hash.digest()));
        }

        private static InputStream stream(String layer) {
            String parents = ("p".repeat(200) + "/").repeat(18);
            return switch (layer) {
                // 3600 bytes each.
                case "directories" -> archive(6_000, i -> new TarBytes()
                        .pax(Map.of("path", parents + i + "/")).directory("d", 0755));
                // A million bytes each.
                case "left-out" -> archive(16, i -> new TarBytes().pax(Map.of("path", i + "/d".repeat(1000)))
                        .file("f", ""));
                case "many-left-out" -> archive(50_000, i -> new TarBytes()
                        .file("usr/share/some/where/" + i % 100 + "/" + i + "/f", ""));
                case "headers" -> archive(16, i -> i == 15 ? new TarBytes().file("f", "")
                        : new TarBytes().pax(Map.of("SCHILY.xattr.user." + i, "x".repeat(1_000_000))));
                case "attributes" -> archive(1, i -> header(1 << 20, "SCHILY.xattr.user.").file("f", ""));
                case "pieces" -> archive(1, i -> new TarBytes().pax(Map.of("GNU.sparse.map", "0,".repeat(520_000) + "0",
                        "GNU.sparse.size", "1")).file("f", ""));
                default -> throw new IllegalArgumentException(layer);
            };
        }

        /** As many records with keys of their own as fit. */
        private static TarBytes header(int limit, String prefix) {
            StringBuilder records = new StringBuilder();
            for (int i = 100_000; records.length() < limit - 64; i++) {
                int length = prefix.length() + 12;
                records.append(length).append(' ').append(prefix).append(i).append("=1\n");
            }
            return new TarBytes().entry('x', "pax", "", 0644, 0, 0,
                    records.toString().getBytes(StandardCharsets.US_ASCII));
        }

        /** Made while it is read: it would not fit into memory. */
        private static InputStream archive(int entries, IntFunction<TarBytes> entry) {
            return new SequenceInputStream(new Enumeration<>() {
                private int next;

                @Override
                public boolean hasMoreElements() {
                    return next <= entries;
                }

                @Override
                public InputStream nextElement() {
                    if (next++ == entries) {
                        return new ByteArrayInputStream(new byte[1024]);
                    }
                    byte[] made = entry.apply(next - 1).bytes();
                    return new ByteArrayInputStream(made, 0, made.length - 1024);
                }
            });
        }
    }
}
