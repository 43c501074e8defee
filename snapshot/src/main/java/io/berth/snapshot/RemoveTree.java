package io.berth.snapshot;

import io.berth.base.RandomId;
import io.berth.base.RuntimeFault;
import io.berth.linux.Fd;
import io.berth.linux.Inodes;
import io.berth.linux.RootedPath;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.nio.file.SecureDirectoryStream;
import java.nio.file.attribute.BasicFileAttributeView;

/**
 * Removes a tree that somebody else has filled: never follows a symbolic link, also when the tree changes meanwhile,
 * and copes with any depth by moving deep directories to the top first.
 */
final class RemoveTree {

    private static final int DEPTH_LIMIT = 128;

    private RemoveTree() {}

    /** Removes {@code top} and all in it; nothing happens when it is missing. */
    static void at(Path top) {
        try {
            empty(top);
            Files.deleteIfExists(top);
        } catch (NoSuchFileException e) {
            // Somebody was faster.
        } catch (IOException e) {
            throw RuntimeFault.internal("remove " + top + ": " + RuntimeFault.reason(e), e);
        }
    }

    /** Removes the directory {@code name} in {@code directory}. */
    static void in(Fd directory, byte[] name) {
        try (Fd top = RootedPath.openDirectory(directory, name, RootedPath.Escape.IS_REFUSED)) {
            empty(top.procPath());
        } catch (IOException e) {
            throw RuntimeFault.internal("remove a directory of a layer: " + RuntimeFault.reason(e), e);
        }
        Inodes.removeDirectory(directory, name);
    }

    private static void empty(Path top) throws IOException {
        // Deep directories come to the top under a fresh name: repeat until a pass moves none.
        boolean done = false;
        while (!done) {
            try (DirectoryStream<Path> stream = Files.newDirectoryStream(top)) {
                if (!(stream instanceof SecureDirectoryStream<Path> secure)) {
                    throw new IOException("the JDK cannot list directories by descriptor");
                }
                done = emptied(secure, secure, 0);
            } catch (NotDirectoryException e) {
                return;
            }
        }
    }

    private static boolean emptied(SecureDirectoryStream<Path> directory, SecureDirectoryStream<Path> top, int depth)
            throws IOException {
        boolean all = true;
        // While it changes: names that are removed have been listed, and a list of all might not fit into memory.
        for (Path listed : directory) {
            Path name = listed.getFileName();
            var view = directory.getFileAttributeView(name, BasicFileAttributeView.class, LinkOption.NOFOLLOW_LINKS);
            try {
                if (!view.readAttributes().isDirectory()) {
                    directory.deleteFile(name);
                } else if (depth >= DEPTH_LIMIT) {
                    directory.move(name, top, Path.of("deep-" + RandomId.hex(12)));
                    all = false;
                } else {
                    try (SecureDirectoryStream<Path> below =
                            directory.newDirectoryStream(name, LinkOption.NOFOLLOW_LINKS)) {
                        all &= emptied(below, top, depth + 1);
                    }
                    directory.deleteDirectory(name);
                }
            } catch (NoSuchFileException e) {
                // Somebody was faster.
                continue;
            }
        }
        return all;
    }
}
