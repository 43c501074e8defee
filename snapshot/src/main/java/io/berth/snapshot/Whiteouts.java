package io.berth.snapshot;

import io.berth.linux.Inodes;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Optional;

/**
 * What a layer does to the layers below it: the marks in its archive that delete, and directories of which it has only
 * a part. {@link OverlayWhiteouts} writes that down for overlayfs, which is shown layer over layer;
 * {@link CarriedOutWhiteouts} does it at once, to a tree that has the files of the layers below. It is told what the
 * layer makes, because a mark speaks of the layers below only. Used by one thread. Source: OCI image-spec, layer.md,
 * "Whiteouts".
 */
sealed interface Whiteouts extends AutoCloseable permits OverlayWhiteouts, CarriedOutWhiteouts {

    /** Whether an entry of this name says what is deleted. */
    static boolean isMark(byte[] name) {
        return startsWith(name, ".wh.");
    }

    /** Does what the mark says, in whatever order marks and entries come; how many inodes that takes. */
    default int apply(LayerTree.Place place, byte[] path) {
        byte[] mark = place.name();
        if (Arrays.equals(mark, ascii(".wh..wh..opq"))) {
            opaque(place, path);
            return 0;
        }
        // Other marks are aufs' own.
        if (startsWith(mark, ".wh..wh.")) {
            return 0;
        }
        byte[] name = Arrays.copyOfRange(mark, ".wh.".length(), mark.length);
        if (name.length == 0 || name.length <= 2 && name[0] == '.' && name[name.length - 1] == '.') {
            throw LayerTree.bad(path, "a whiteout without a name");
        }
        return deleted(place, name, path);
    }

    /** The name is deleted; how many inodes that takes. */
    int deleted(LayerTree.Place place, byte[] name, byte[] path);

    /** All that layers below have in the directory of the mark is deleted. */
    void opaque(LayerTree.Place place, byte[] path);

    /** Whether the entry is no file but the deletion of its name, in the form that overlayfs has for it. */
    boolean isDeletion(TarEntry entry);

    /**
     * Whether a directory that the archive leaves out may be made in the place of what is there.
     *
     * @param there no directory and no symbolic link
     * @param behindLink whether a symbolic link has led there
     */
    boolean givesWay(LayerTree.Place place, Inodes.Status there, boolean behindLink);

    /** The layer has under this name something that is no directory, or deletes it with an entry of its own. */
    void made(LayerTree.Place place);

    /**
     * The archive has this directory, which is there now.
     *
     * @param before what was there
     */
    void madeDirectory(LayerTree.Place place, Optional<Inodes.Status> before);

    /**
     * A directory was made that the archive leaves out.
     *
     * @param path without symbolic links
     */
    void madeParent(LayerTree.Place place, Optional<Inodes.Status> before, byte[] path);

    /** Frees what it has noted. */
    @Override
    default void close() {}

    private static boolean startsWith(byte[] name, String prefix) {
        return name.length >= prefix.length()
                && Arrays.equals(name, 0, prefix.length(), ascii(prefix), 0, prefix.length());
    }

    private static byte[] ascii(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }
}
