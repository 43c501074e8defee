package io.berth.snapshot;

import io.berth.linux.Inodes;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * Turns the marks that an archive has for what a layer deletes into those of overlayfs: a character device 0/0 for a name,
 * an attribute for all that is below a directory. Used by one thread. Source: OCI image-spec, layer.md, "Whiteouts".
 */
final class LayerWhiteouts {

    private static final byte[] WHITEOUT = ascii(".wh.");
    private static final byte[] OPAQUE_MARK = ascii(".wh..wh..opq");
    private static final byte[] AUFS = ascii(".wh..wh.");

    private final LayerTree tree;

    LayerWhiteouts(LayerTree tree) {
        this.tree = tree;
    }

    /** Whether an entry of this name says what is deleted. */
    static boolean isMark(byte[] name) {
        return startsWith(name, WHITEOUT);
    }

    /** Does what the mark says; how many inodes that takes. */
    int apply(LayerTree.Place place, byte[] path) {
        byte[] mark = place.name();
        if (Arrays.equals(mark, OPAQUE_MARK)) {
            if (tree.parts(path).size() > 1) {
                opaque(path);
            }
            return 0;
        }
        if (startsWith(mark, AUFS)) {
            return 0;
        }
        byte[] name = Arrays.copyOfRange(mark, WHITEOUT.length, mark.length);
        if (name.length == 0 || tree.parts(name).isEmpty()) {
            throw LayerTree.bad(path, "a whiteout without a name");
        }
        // A whiteout speaks of the layers below; what this layer itself has under the name stays.
        Optional<Inodes.Status> there = Inodes.status(place.directory(), name);
        if (there.isEmpty()) {
            Inodes.makeNode(place.directory(), name, Inodes.CHARACTER_DEVICE, 0, 0);
            return 1;
        }
        if (there.get().isDirectory()) {
            Inodes.setAttribute(place.directory(), name, LayerTree.OPAQUE, new byte[] {'y'});
        }
        return 0;
    }

    private void opaque(byte[] path) {
        List<byte[]> parts = tree.parts(path);
        LayerTree.Place folder = tree.place(LayerTree.joined(parts.subList(0, parts.size() - 1))).orElseThrow();
        Inodes.Status status = Inodes.status(folder.directory(), folder.name()).orElseThrow();
        if (!status.isDirectory()) {
            throw LayerTree.bad(path, "an opaque mark behind a symbolic link");
        }
        Inodes.setAttribute(folder.directory(), folder.name(), LayerTree.OPAQUE, new byte[] {'y'});
    }

    private static boolean startsWith(byte[] name, byte[] prefix) {
        return name.length >= prefix.length && Arrays.equals(name, 0, prefix.length, prefix, 0, prefix.length);
    }

    private static byte[] ascii(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }
}
