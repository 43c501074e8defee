package io.berth.snapshot;

import io.berth.linux.Fd;
import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Short names for layers: mount(2) takes one page of options, which 40 full paths fill, while an image may have 127
 * layers. Kernels before 6.5 know no other way. Thread-safe.
 */
final class OverlayPaths {

    private static final int LONG = 3500;

    private final Path directory;

    OverlayPaths(Path directory) throws IOException {
        this.directory = directory;
        Files.createDirectories(directory);
    }

    /** Paths to mount with; close it after the mount. */
    static final class Shortened implements AutoCloseable {
        private final List<Path> paths;
        private final List<Fd> open;

        private Shortened(List<Path> paths, List<Fd> open) {
            this.paths = paths;
            this.open = open;
        }

        List<Path> paths() {
            return paths;
        }

        @Override
        public void close() {
            open.forEach(Fd::close);
        }
    }

    Shortened shortened(List<Path> lower) throws IOException {
        if (lower.stream().mapToInt(path -> path.toString().length() + 1).sum() < LONG) {
            return new Shortened(lower, List.of());
        }
        List<String> names = new ArrayList<>();
        for (Path path : lower) {
            names.add(link(path));
        }
        Fd opened = Fd.openDirectory(directory);
        return new Shortened(names.stream().map(name -> opened.procPath().resolve(name)).toList(), List.of(opened));
    }

    /** A symbolic link to the layer, named by the shortest beginning of its digest that no other layer has taken. */
    private String link(Path files) throws IOException {
        String hex = files.getParent().getFileName().toString();
        for (int length = 8; length < hex.length(); length++) {
            Path link = directory.resolve(hex.substring(0, length));
            try {
                Files.createSymbolicLink(link, files);
                return link.getFileName().toString();
            } catch (FileAlreadyExistsException e) {
                if (Files.readSymbolicLink(link).equals(files)) {
                    return link.getFileName().toString();
                }
                if (!Files.exists(link)) {
                    // Its layer is gone: the name is free.
                    Files.delete(link);
                    length--;
                }
            }
        }
        throw new IOException("no short name is free for " + files);
    }
}
