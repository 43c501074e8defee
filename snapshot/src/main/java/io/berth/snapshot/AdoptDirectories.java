package io.berth.snapshot;

import io.berth.linux.Fd;
import io.berth.linux.Inodes;
import io.berth.linux.RootedPath;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * Makes the directories that a layer's archive has left out look as they do in the layers below: overlayfs shows the
 * attributes of the topmost one. Done when the layer is whole and those below are there, so that layers can be unpacked in
 * any order. Used by one thread.
 */
final class AdoptDirectories {

    /** The attribute of a directory that the archive has left out, until it is adopted. No archive can set it. */
    static final String IMPLIED = "trusted.berth.implied";

    /** The layer itself, and those below, the nearest first. */
    private final List<Fd> layers;
    // Of the last path's parents, from the root on: most paths have them in common with the one before.
    private final List<Merged> parents = new ArrayList<>();

    /**
     * A directory as overlayfs merges it.
     *
     * @param path of the directory
     * @param layers that have a part in it, by their index
     */
    private record Merged(byte[] path, int[] layers) {

        boolean has(byte[] child) {
            return path.length == 0 || child.length > path.length && child[path.length] == '/'
                    && Arrays.equals(child, 0, path.length, path, 0, path.length);
        }
    }

    /**
     * Does it for a layer.
     *
     * @param lowers the layers below, the nearest first
     * @param withRoot whether the archive has left out the root, too
     * @param implied what the archive has left out else
     */
    static void in(Path layer, List<Path> lowers, boolean withRoot, SpilledRecords implied) {
        List<Fd> opened = new ArrayList<>();
        try (Fd root = Fd.openDirectory(layer)) {
            lowers.forEach(lower -> opened.add(Fd.openDirectory(lower)));
            AdoptDirectories adopt = new AdoptDirectories(root, opened);
            if (withRoot) {
                adopt.root();
            }
            implied.forEach(adopt::directory);
        } finally {
            opened.forEach(Fd::close);
        }
    }

    /**
     * @param root the layer; stays the caller's
     * @param lowers the layers below, the nearest first; stay the caller's
     */
    AdoptDirectories(Fd root, List<Fd> lowers) {
        this.layers = new ArrayList<>(lowers);
        layers.addFirst(root);
        // Overlayfs knows no opaque mark on a root.
        int[] all = new int[layers.size()];
        Arrays.setAll(all, i -> i);
        parents.add(new Merged(new byte[0], all));
    }

    /** The layer's root directory; 0755 and root's own where no layer is below. */
    void root() {
        Optional<Inodes.Status> below = layers.stream().skip(1).findFirst().map(Inodes::status);
        Fd root = layers.getFirst();
        below.ifPresent(like -> Inodes.changeOwner(root, like.uid(), like.gid()));
        Inodes.changeMode(root, below.map(Inodes.Status::mode).orElse(0755));
    }

    /** @param path without symbolic links; nothing happens when something else is there now */
    void directory(byte[] path) {
        Merged parent = parent(path);
        byte[] name = Arrays.copyOfRange(path, parent.path.length == 0 ? 0 : parent.path.length + 1, path.length);
        if (parent.layers.length == 0 || parent.layers[0] != 0) {
            return;
        }
        try (Fd in = open(0, parent.path)) {
            // The archive may have had it after all, later, or something else in its place.
            if (!Inodes.removeAttribute(in, name, IMPLIED)) {
                return;
            }
            below(parent, name).ifPresent(like -> {
                Inodes.changeOwner(in, name, like.uid(), like.gid());
                Inodes.changeMode(in, name, like.mode());
                Inodes.setTimes(in, name, like.modifiedSeconds(), like.modifiedNanos());
            });
        }
    }

    private Optional<Inodes.Status> below(Merged parent, byte[] name) {
        for (int layer : parent.layers) {
            if (layer > 0) {
                try (Fd in = open(layer, parent.path)) {
                    Optional<Inodes.Status> found = Inodes.status(in, name);
                    if (found.isPresent()) {
                        // Something else hides what is below it: a whiteout, for one.
                        return found.filter(Inodes.Status::isDirectory);
                    }
                }
            }
        }
        return Optional.empty();
    }

    private Merged parent(byte[] path) {
        while (!parents.getLast().has(path)) {
            parents.removeLast();
        }
        for (int at = parents.getLast().path.length + 1; at < path.length; at++) {
            if (path[at] == '/') {
                parents.add(merged(parents.getLast(), Arrays.copyOf(path, at)));
            }
        }
        return parents.getLast();
    }

    private Merged merged(Merged parent, byte[] path) {
        byte[] name = Arrays.copyOfRange(path, parent.path.length == 0 ? 0 : parent.path.length + 1, path.length);
        int[] found = new int[parent.layers.length];
        int count = 0;
        boolean more = true;
        for (int i = 0; i < parent.layers.length && more; i++) {
            try (Fd in = open(parent.layers[i], parent.path)) {
                Optional<Inodes.Status> there = Inodes.status(in, name);
                boolean directory = there.filter(Inodes.Status::isDirectory).isPresent();
                if (directory) {
                    found[count++] = parent.layers[i];
                }
                more = there.isEmpty() || directory && !isOpaque(in, name);
            }
        }
        return new Merged(path, Arrays.copyOf(found, count));
    }

    private static boolean isOpaque(Fd in, byte[] name) {
        return Inodes.attribute(in, name, OverlayWhiteouts.OPAQUE)
                .filter(value -> Arrays.equals(value, new byte[] {'y'})).isPresent();
    }

    // Each part of the path was seen to be a directory of this layer.
    private Fd open(int layer, byte[] path) {
        return RootedPath.openDirectory(layers.get(layer), path, RootedPath.Escape.IS_REFUSED);
    }
}
