package io.berth.snapshot;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.berth.base.Digest;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Layers that GNU tar and umoci have written are compared with what those tools themselves make of them. Needs root. */
class ForeignLayerIT {

    private static final Path UMOCI = Path.of("/usr/bin/umoci");
    private static final String TYPE = "application/vnd.oci.image.layer.v1.tar";

    // All that a tree is: type, mode, owner, size, time, links, targets, devices, contents, attributes, allocated blocks.
    private static final String DESCRIBE = """
            cd "$1" && find . ! -path . -printf '%P %y %m %U %G %T@ %n %l' -a \\( -type f -printf ' %s' -o -true \\) \
             -printf '\\n' | sort
            find . -type b -o -type c | sort | xargs -r stat -c '%n %t %T'
            find . -type f | sort | xargs -r -d '\\n' sha256sum
            getfattr -R -h -d -m '^(user|security)' . 2>/dev/null
            """;

    // Everything that an archive has trouble with.
    private static final String TREE = """
            set -e
            mkdir -p "$1" && cd "$1"
            mkdir -p bin etc/deep/er 'with space' dir-1777 && chmod 1777 dir-1777
            echo one > bin/one && chown 12:34 bin/one && chmod 4755 bin/one
            chown 70000:3000000 etc/deep && chmod 2750 etc/deep
            ln bin/one bin/same && ln bin/one etc/also && ln -s ../bin/one etc/link && ln -s /absolute/nowhere dangling
            ln -s "$(printf 'x%.0s' $(seq 200))" long-target
            mknod null c 1 3 && mknod block b 7 300 && mkfifo fifo && chmod 640 fifo
            mkdir -p "$(printf 'd%.0s' $(seq 120))/$(printf 'e%.0s' $(seq 120))"
            echo long > "$(printf 'd%.0s' $(seq 120))/$(printf 'e%.0s' $(seq 120))/$(printf 'f%.0s' $(seq 200))"
            printf 'umlaut' > "$(printf '\\303\\274mlaut')" && printf 'latin' > "$(printf 'l\\344tin')"
            truncate -s 40M sparse && printf start | dd of=sparse conv=notrunc status=none
            printf middle | dd of=sparse bs=1M seek=17 conv=notrunc status=none
            printf end | dd of=sparse bs=1 seek=41943037 conv=notrunc status=none
            truncate -s 5M hole-only
            for i in $(seq 60); do printf x | dd of=many-holes bs=64k seek=$i conv=notrunc status=none; done
            setfattr -n user.note -v "a b" bin/one && setcap cap_net_raw+ep bin/same
            setfattr -n user.dir -v yes etc
            touch -h -d '1999-01-01 01:02:03.123456789' etc/link && touch -d '1965-05-05 05:05:05.5' fifo
            find . -depth -type d -exec touch -d '2020-02-02 02:02:02' {} +
            """;

    @TempDir
    Path root;

    private Snapshots snapshots;

    @BeforeEach
    void open() {
        assumeTrue(System.getProperty("user.name").equals("root"), "skipped: needs root for owners and device nodes");
        assumeTrue(Files.isExecutable(Path.of("/usr/bin/getfattr")), "skipped: needs getfattr (package attr)");
        snapshots = new Snapshots(root, UnpackLimits.DEFAULT, "boot");
    }

    private static String run(String script, Object... arguments) throws IOException, InterruptedException {
        var command = new java.util.ArrayList<>(List.of("/bin/bash", "-c", script, "test"));
        for (Object argument : arguments) {
            command.add(argument.toString());
        }
        ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
        builder.environment().put("LC_ALL", "C");
        builder.environment().merge("PATH", ":/usr/sbin:/sbin", String::concat);
        Process process = builder.start();
        String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.ISO_8859_1);
        assertTrue(process.waitFor(2, TimeUnit.MINUTES));
        assertEquals(0, process.exitValue(), out);
        return out;
    }

    private static String describe(Path tree) throws IOException, InterruptedException {
        return run(DESCRIBE, tree);
    }

    private Path unpack(Path archive, Optional<Digest> parent, Digest[] chain) throws IOException {
        Digest diffId = Digest.ofBytes(Files.readAllBytes(archive));
        Digest id = parent.map(p -> Digest.ofBytes((p + " " + diffId).getBytes(StandardCharsets.UTF_8))).orElse(diffId);
        try (InputStream in = Files.newInputStream(archive)) {
            snapshots.unpack(parent, id, diffId, TYPE, in);
        }
        chain[0] = id;
        return root.resolve("snapshots/layers").resolve(id.hex()).resolve("fs");
    }

    @Test
    void whatGnuTarWritesInAllItsFormatsComesOutAsItWentIn() throws Exception {
        Path tree = root.resolve("tree");
        run(TREE, tree);
        String wanted = describe(tree);
        assertTrue(wanted.contains("security.capability") && wanted.contains("user.note") && wanted.contains(" 4755 12 34 "), wanted);
        for (String format : List.of("--format=gnu --sparse", "--format=posix --sparse --sparse-version=0.0",
                "--format=posix --sparse --sparse-version=0.1", "--format=posix --sparse --sparse-version=1.0",
                "--format=posix", "--format=gnu")) {
            Path archive = root.resolve("archive.tar");
            boolean pax = format.contains("posix");
            run("cd \"$1\" && tar -cf \"$2\" " + format + (pax ? " --xattrs --xattrs-include='*'" : "") + " .", tree, archive);
            Digest[] chain = new Digest[1];
            Path fs = unpack(archive, Optional.empty(), chain);
            String found = describe(fs);
            // GNU's own format has neither attributes nor parts of seconds.
            assertEquals(pax ? wanted : coarse(wanted), pax ? found : coarse(found), format);
            if (format.contains("sparse")) {
                long blocks = Long.parseLong(run("stat -c %b \"$1\"", fs.resolve("sparse")).strip());
                assertTrue(blocks * 512 < 2 << 20, format + ": the holes take " + blocks + " blocks");
            }
            assertTrue(snapshots.removeLayer(chain[0]));
        }
    }

    private static String coarse(String description) {
        return description.replaceAll("(?s)\\n# file: .*", "\n").replaceAll("(?m) (-?\\d+)\\.\\d+ (\\d+) ", " $2 ");
    }

    @Test
    void layersThatUmociWritesMountAsUmociUnpacksThem() throws Exception {
        assumeTrue(Files.isExecutable(UMOCI), "skipped: needs umoci");
        Path layout = root.resolve("image");
        String made = run("""
                set -e
                umoci init --layout "$1" && umoci new --image "$1:x"
                umoci unpack --image "$1:x" "$2"
                """ + TREE.replace("$1", "$2/rootfs") + """
                umoci repack --image "$1:x" "$2" && rm -rf "$2" && umoci unpack --image "$1:x" "$2"
                cd "$2/rootfs"
                rm -r bin/one etc/deep 'with space' && echo two > bin/two && rm -r dir-1777 && echo file > dir-1777
                rm sparse && mkdir sparse && echo new > sparse/new && ln bin/two etc/two && chmod 0700 etc
                umoci repack --image "$1:x" "$2" && rm -rf "$2" && umoci unpack --image "$1:x" "$2"
                cat "$1"/blobs/sha256/$(sed 's/.*"digest":"sha256:\\([0-9a-f]*\\)".*/\\1/' "$1/index.json")
                """, layout, root.resolve("bundle"));
        List<Digest> layers = java.util.regex.Pattern.compile("layer\\.v1\\.tar\\+gzip\",\"digest\":\"(sha256:[0-9a-f]{64})")
                .matcher(made.replaceAll("\\s", "")).results().map(m -> Digest.parse(m.group(1))).toList();
        assertEquals(2, layers.size(), made);
        List<Digest> chains = new java.util.ArrayList<>();
        for (Digest layer : layers) {
            byte[] blob = Files.readAllBytes(layout.resolve("blobs/sha256").resolve(layer.hex()));
            byte[] tar = new java.util.zip.GZIPInputStream(new ByteArrayInputStream(blob)).readAllBytes();
            Files.write(root.resolve("layer.tar"), tar);
            Digest[] chain = new Digest[1];
            unpack(root.resolve("layer.tar"), chains.isEmpty() ? Optional.empty() : Optional.of(chains.getLast()), chain);
            chains.add(chain[0]);
        }
        Path mounted = root.resolve("mounted");
        snapshots.prepare("c", chains, mounted, Optional.empty(), Optional.empty());
        try {
            // Overlayfs does not count the links of directories that it has merged.
            assertEquals(linkless(describe(root.resolve("bundle/rootfs"))), linkless(describe(mounted)));
        } finally {
            snapshots.remove("c");
        }
    }

    private static String linkless(String description) {
        return description.replaceAll("(?m)( d \\d+ \\d+ \\d+ \\S+) \\d+ $", "$1");
    }

    @Test
    void directoriesThatALayerLeavesOutLookAsBelowInWhateverOrderLayersCome() throws Exception {
        byte[] low = new TarBytes().entry('5', "./", "", 0711, 5, 6, new byte[0])
                .entry('5', "a/", "", 0750, 7, 8, new byte[0]).entry('5', "a/b/", "", 02700, 9, 9, new byte[0]).bytes();
        byte[] middle = new TarBytes().file("a/.wh.b", "").bytes();
        byte[] top = new TarBytes().file("a/x", "x").file("a/b/y", "y").symlink("l", "c/d").file("l/z", "z")
                .entry('5', "l/", "", 0700, 1, 1, new byte[0]).bytes();
        Digest lowId = Digest.ofBytes(low);
        Digest middleId = chained(lowId, middle);
        Digest topId = chained(middleId, top);
        // The topmost is unpacked first and waits for the others.
        snapshots.unpack(Optional.of(middleId), topId, Digest.ofBytes(top), TYPE, new ByteArrayInputStream(top), () -> {
            snapshots.unpack(Optional.empty(), lowId, lowId, TYPE, new ByteArrayInputStream(low));
            snapshots.unpack(Optional.of(lowId), middleId, Digest.ofBytes(middle), TYPE, new ByteArrayInputStream(middle));
        });
        Path fs = root.resolve("snapshots/layers").resolve(topId.hex()).resolve("fs");
        assertEquals("711 5 6", look(fs));
        assertEquals("750 7 8", look(fs.resolve("a")));
        // What a whiteout in between hides is not what this directory once was.
        assertEquals("755 0 0", look(fs.resolve("a/b")));
        assertEquals("755 0 0", look(fs.resolve("c/d")));
    }

    private static Digest chained(Digest parent, byte[] tar) {
        return Digest.ofBytes((parent + " " + Digest.ofBytes(tar)).getBytes(StandardCharsets.UTF_8));
    }

    private static String look(Path path) throws IOException, InterruptedException {
        return run("stat -c '%a %u %g' \"$1\"", path).strip();
    }
}
