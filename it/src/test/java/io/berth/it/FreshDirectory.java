package io.berth.it;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Directories that are there before a test's fields are, for daemons whose configuration names them. Removed by who asks. */
final class FreshDirectory {

    private FreshDirectory() {}

    static Path named(String prefix) {
        try {
            return Files.createTempDirectory(prefix);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
