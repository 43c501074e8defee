package io.berth.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/** Berth as it was at an earlier commit, built from the history of this tree into a directory of the test's own. */
final class EarlierBuild {

    /** Moved forward when a format is given up on purpose, with a word in docs/operations.md. */
    private static final String COMMIT = "b8167d4c1c3e5617cecdaa7e278ed9fa20fc2497";
    private static final int BUILD_MINUTES = 15;

    private EarlierBuild() {}

    /**
     * Builds it; a minute or two.
     *
     * @return its launcher
     * @throws org.opentest4j.TestAbortedException when this tree has no history, or one that does not reach back so far
     */
    static Path in(Path directory) throws IOException, InterruptedException {
        Path tree = tree();
        // The owner of the tree may be another one than who runs the tests.
        List<String> git = List.of("git", "-c", "safe.directory=*", "-C", tree.toString());
        assumeTrue(Files.exists(tree.resolve(".git")) && run(directory, 1, append(git, "cat-file", "-e", COMMIT + "^{commit}")) == 0,
                "the history of this tree does not have commit " + COMMIT + ", from which the earlier build is made");
        assertEquals(0, run(directory, 1, append(git, "archive", "--output", directory.resolve("tree.tar").toString(), COMMIT)));
        assertEquals(0, run(directory, 1, List.of("tar", "xf", "tree.tar")));
        assertEquals(0, run(directory, BUILD_MINUTES, List.of("mvn", "-q", "-B", "-pl", "cli", "-am", "-Dmaven.test.skip=true",
                "package")), () -> "the earlier build: " + said(directory));
        return directory.resolve("berth");
    }

    private static Path tree() {
        Path here = Path.of("").toAbsolutePath();
        return Stream.iterate(here, path -> path != null, Path::getParent)
                .filter(path -> Files.isExecutable(path.resolve("berth")) && Files.isDirectory(path.resolve("cri-api")))
                .findFirst().orElseThrow(() -> new AssertionError("not in a tree of Berth: " + here));
    }

    private static List<String> append(List<String> command, String... more) {
        return Stream.concat(command.stream(), Stream.of(more)).toList();
    }

    private static int run(Path directory, int minutes, List<String> command) throws IOException, InterruptedException {
        ProcessBuilder builder = new ProcessBuilder(command).directory(directory.toFile()).redirectErrorStream(true)
                .redirectOutput(directory.resolve("build.log").toFile());
        builder.environment().put("JAVA_HOME", System.getProperty("java.home"));
        Process process = builder.start();
        boolean ended = process.waitFor(minutes, TimeUnit.MINUTES);
        process.destroyForcibly();
        assertTrue(ended, () -> String.join(" ", command) + " has not ended within " + minutes + " min: " + said(directory));
        return process.exitValue();
    }

    private static String said(Path directory) {
        try {
            String all = Files.readString(directory.resolve("build.log"), StandardCharsets.UTF_8);
            return all.substring(Math.max(0, all.length() - 4000));
        } catch (IOException e) {
            return e.toString();
        }
    }
}
