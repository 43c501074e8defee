package io.berth.snapshot;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.berth.base.Digest;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Layers unpacked one over the other into one tree give what overlayfs shows of the same layers. Needs root. */
class InPlaceStackIT {

    private static final String TYPE = "application/vnd.oci.image.layer.v1.tar";
    private static final int STACKS = 80;

    @TempDir
    Path root;

    private Snapshots snapshots;

    @BeforeEach
    void open() {
        assumeTrue(System.getProperty("user.name").equals("root"), "skipped: needs root for mounts and device nodes");
        snapshots = new Snapshots(root, UnpackLimits.DEFAULT, "boot");
    }

    @AfterEach
    void unmountAll() {
        if (snapshots != null) {
            snapshots.activeKeys().forEach(snapshots::remove);
            snapshots.awaitSync();
        }
    }

    private Map<String, String> mounted(String key, List<byte[]> layers, boolean attributes) throws IOException {
        List<Digest> chain = new ArrayList<>();
        for (byte[] tar : layers) {
            Digest diffId = Digest.ofBytes(tar);
            Optional<Digest> parent = chain.isEmpty() ? Optional.empty() : Optional.of(chain.getLast());
            Digest id = parent.map(p -> Digest.ofBytes((p + " " + diffId).getBytes(StandardCharsets.UTF_8)))
                    .orElse(diffId);
            snapshots.unpack(parent, id, diffId, TYPE, new ByteArrayInputStream(tar));
            chain.add(id);
        }
        Path at = root.resolve("mnt-" + key);
        snapshots.prepare(key, chain, at, Optional.empty(), Optional.empty());
        try {
            return described(at, attributes);
        } finally {
            snapshots.remove(key);
        }
    }

    private Map<String, String> inPlace(String key, List<byte[]> layers, boolean attributes) throws IOException {
        Path tree = Files.createDirectory(root.resolve("tree-" + key));
        for (byte[] tar : layers) {
            UnpackLayer.inPlace(tree, UnpackLimits.DEFAULT, new ByteArrayInputStream(tar), Digest.ofBytes(tar));
        }
        return described(tree, attributes);
    }

    /** What each path is; mode and owner of directories, which archives may omit, only where they are asked for. */
    private static Map<String, String> described(Path top, boolean attributes) throws IOException {
        Map<String, String> all = new TreeMap<>();
        describe(top, top, attributes, all);
        return all;
    }

    private static void describe(Path top, Path folder, boolean attributes, Map<String, String> all)
            throws IOException {
        List<Path> listed;
        try (var paths = Files.list(folder)) {
            listed = paths.toList();
        }
        for (Path path : listed) {
            if (!Files.exists(path, LinkOption.NOFOLLOW_LINKS)) {
                // A whiteout of nothing: overlayfs lists it in a directory that one layer alone has.
                continue;
            }
            Map<String, Object> found = Files.readAttributes(path, "unix:mode,uid,gid,rdev", LinkOption.NOFOLLOW_LINKS);
            boolean directory = Files.isDirectory(path, LinkOption.NOFOLLOW_LINKS);
            String what = directory && !attributes ? "directory"
                    : "%o %s %s".formatted((int) found.get("mode"), found.get("uid"), found.get("gid"));
            if (directory) {
                describe(top, path, attributes, all);
            } else if (Files.isSymbolicLink(path)) {
                what += " -> " + Files.readSymbolicLink(path);
            } else if (Files.isRegularFile(path)) {
                what += " " + Files.readString(path);
            } else {
                what += " device " + found.get("rdev");
            }
            all.put(top.relativize(path).toString(), directory ? what
                    : what + " at " + Files.getLastModifiedTime(path, LinkOption.NOFOLLOW_LINKS));
        }
    }

    @Test
    void threeLayersWithDeletions() throws Exception {
        byte[] low = new TarBytes().directory("etc/", 0750).file("etc/a", "low").file("etc/b", "low")
                .directory("var/", 0755)
                .directory("var/cache/", 0700).file("var/cache/x", "low").directory("re/", 0711).file("re/old", "low")
                .file("file", "low").directory("dir/", 0755).file("dir/x", "low").symlink("link", "etc/a")
                .device('3', "null", 1, 3).hardLink("etc/same", "etc/a").entry('4', "su", "", 04755, 0, 0, new byte[0])
                .bytes();
        byte[] middle = new TarBytes().directory("etc/", 0751).file("etc/.wh.a", "").file("etc/b", "middle")
                .file(".wh.re", "")
                .directory("re/", 0700).file("re/new", "middle").directory("file/", 0755).file("file/x", "middle")
                .file("dir", "middle").file(".wh.null", "").directory("var/", 0755).directory("var/cache/", 0701)
                .file("var/cache/y", "middle").file("var/cache/.wh..wh..opq", "").directory("deep/", 0755)
                .directory("deep/er/", 0755).file("deep/er/z", "middle").bytes();
        byte[] top = new TarBytes().directory("etc/", 0752).file("etc/a", "top").file("etc/.wh.same", "")
                .file("re/.wh.new", "")
                .file(".wh.file", "").file(".wh.dir", "").file("link", "top").file(".wh.deep", "")
                .file("var/cache/x", "top")
                .entry('6', "null", "", 0600, 3, 4, new byte[0]).bytes();
        List<byte[]> layers = List.of(low, middle, top);
        Map<String, String> wanted = mounted("fixed", layers, true);
        assertEquals(Set.of("etc", "etc/a", "etc/b", "link", "null", "re", "su", "var", "var/cache", "var/cache/x",
                "var/cache/y"), wanted.keySet());
        assertEquals(wanted, inPlace("fixed", layers, true));
    }

    @Test
    void stacksMadeByChance() throws Exception {
        int deleted = 0;
        int left = 0;
        for (int seed = 0; seed < STACKS; seed++) {
            boolean parents = seed % 2 == 0;
            Random chance = new Random(seed);
            List<byte[]> layers = new ArrayList<>();
            StringBuilder shown = new StringBuilder();
            for (int layer = 0; layer < 3; layer++) {
                Map<String, Character> entries = chosen(chance, layer, parents);
                List<String> order = new ArrayList<>(entries.keySet());
                Collections.shuffle(order, chance);
                shown.append('\n').append(order.stream().map(path -> entries.get(path) + ":" + path)
                        .collect(Collectors.joining(" ")));
                layers.add(archive(entries, order, seed + "/" + layer, chance));
                deleted += Collections.frequency(entries.values(), '-');
            }
            Map<String, String> wanted = mounted("s" + seed, layers, parents);
            assertEquals(wanted, inPlace("s" + seed, layers, parents), "seed " + seed + ":" + shown);
            left += wanted.size();
        }
        assertTrue(deleted > STACKS && left > 4 * STACKS, deleted + " marks, " + left + " names left: too few to tell");
    }

    /**
     * Paths of one layer and what they are; marks are {@code -}. Each has one meaning, as in any archive that a tool
     * writes, and no symbolic link is anything's parent: overlayfs shows a directory there instead of what it leads to.
     */
    private static Map<String, Character> chosen(Random chance, int layer, boolean parents) {
        Map<String, Character> entries = new TreeMap<>();
        int count = 3 + chance.nextInt(8);
        for (int i = 0; i < count; i++) {
            String folder = "";
            for (int depth = chance.nextInt(4); depth > 0; depth--) {
                folder += "abc".charAt(chance.nextInt(3)) + "/";
            }
            if (layer > 0 && chance.nextInt(3) == 0) {
                // Of the root an opaque mark means nothing to overlayfs.
                String mark = chance.nextInt(3) == 0 && !folder.isEmpty() ? ".wh..wh..opq" : ".wh." + name(chance);
                put(entries, folder + mark, '-', parents);
                continue;
            }
            String name = name(chance);
            put(entries, folder + name, name.equals("s") ? '2' : "05670".charAt(chance.nextInt(5)), parents);
        }
        return entries;
    }

    private static String name(Random chance) {
        return String.valueOf("abcs".charAt(chance.nextInt(4)));
    }

    private static void put(Map<String, Character> entries, String path, char type, boolean parents) {
        Set<String> above = new TreeSet<>();
        for (int at = path.indexOf('/'); at >= 0; at = path.indexOf('/', at + 1)) {
            above.add(path.substring(0, at));
        }
        boolean parentIsFile = above.stream().anyMatch(parent -> entries.getOrDefault(parent, '5') != '5');
        boolean isParent = type != '5' && entries.keySet().stream().anyMatch(other -> other.startsWith(path + "/"));
        if (parentIsFile || isParent || entries.containsKey(path)) {
            return;
        }
        entries.put(path, type);
        if (parents) {
            above.forEach(parent -> entries.put(parent, '5'));
        }
    }

    private static byte[] archive(Map<String, Character> entries, List<String> order, String content, Random chance) {
        TarBytes tar = new TarBytes();
        for (String path : order) {
            int mode = 0700 + chance.nextInt(0100);
            int owner = chance.nextInt(3);
            switch (entries.get(path)) {
                case '-' -> tar.file(path, "");
                case '0' -> tar.entry('0', path, "", mode, owner, 1, (content + path).getBytes(StandardCharsets.UTF_8));
                case '2' -> tar.symlink(path, content);
                case '5' -> tar.entry('5', path + "/", "", mode, owner, 2, new byte[0]);
                case '6' -> tar.entry('6', path, "", mode, owner, 3, new byte[0]);
                // Overlayfs' own mark.
                case '7' -> tar.device('3', path, 0, 0);
                default -> throw new IllegalStateException(path);
            }
        }
        return tar.bytes();
    }
}
