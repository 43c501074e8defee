package io.berth.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.berth.cli.Main;
import io.berth.linux.Cgroups;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** {@code berth bench} on real parts, in its smallest form. What it measures is not looked at, only that it does. */
@Timeout(180)
class BenchIT {

    @TempDir
    private Path directory;

    private record Ended(int code, String output, String errors) {}

    private Set<String> before;

    @BeforeEach
    void needsRoot() throws IOException {
        assumeTrue("root".equals(System.getProperty("user.name")), "needs root");
        before = left();
    }

    private Ended bench(String... arguments) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of(Path.of(System.getProperty("java.home"), "bin/java").toString(),
                "--enable-native-access=ALL-UNNAMED", "-Djava.io.tmpdir=" + directory, "-cp",
                System.getProperty("java.class.path"), Main.class.getName(), "bench"));
        command.addAll(List.of(arguments));
        Path output = Files.createTempFile("bench", "out");
        Path errors = Files.createTempFile("bench", "err");
        try {
            Process process = new ProcessBuilder(command).redirectOutput(output.toFile()).redirectError(errors.toFile()).start();
            assertTrue(process.waitFor(150, TimeUnit.SECONDS), () -> "it runs on");
            return new Ended(process.exitValue(), Files.readString(output), Files.readString(errors));
        } finally {
            Files.delete(output);
            Files.delete(errors);
        }
    }

    /** All of a bench has a name that begins so. */
    private Set<String> left() throws IOException {
        Set<String> left = new TreeSet<>();
        for (Path place : List.of(directory, Path.of("/sys/class/net"))) {
            try (Stream<Path> entries = Files.list(place)) {
                entries.filter(entry -> place.equals(directory) || entry.getFileName().toString().startsWith("bench-"))
                        .filter(entry -> !entry.getFileName().toString().endsWith(".svg")).map(Path::toString)
                        .forEach(left::add);
            }
        }
        for (Path top : Cgroups.detect().directories("/")) {
            try (Stream<Path> entries = Files.list(top)) {
                entries.map(Path::toString).filter(entry -> entry.contains("/bench-")).forEach(left::add);
            }
        }
        ProcessHandle.allProcesses().filter(ProcessHandle::isAlive)
                .filter(process -> process.info().commandLine().orElse("").contains(directory + "/"))
                .forEach(process -> left.add(process.info().commandLine().orElse("")));
        return left;
    }

    private static Set<String> rows(JsonNode answer) {
        return StreamSupport.stream(answer.path("rows").spliterator(), false)
                .map(row -> row.path("kind").asString() + "/" + row.path("what").asString()).collect(Collectors.toSet());
    }

    @Test
    void aSmallBenchFillsItsRowsAndLeavesNothing() throws Exception {
        Path picture = directory.resolve("pod.svg");
        Ended ended = bench("pods", "exec", "parallel", "memory", "--rounds", "2", "--pods", "2", "--output", "json", "--svg",
                picture.toString());
        assertEquals(0, ended.code(), ended.errors());
        JsonNode answer = JsonMapper.shared().readTree(ended.output());
        assertTrue(rows(answer).containsAll(Set.of("pods/RunPodSandbox", "pods/CreateContainer", "pods/StartContainer",
                "pods/ExecSync true", "pods/StopContainer", "pods/RemoveContainer", "pods/StopPodSandbox",
                "pods/RemovePodSandbox", "pods/pod to running", "pods/stop and remove", "exec/ExecSync true",
                "parallel/2 at once, to running", "memory/daemon, 0 pods", "memory/helpers, 2 pods")), ended.output());
        answer.path("rows").forEach(row -> assertTrue(
                row.path("contestants").path("berth").path("median").asDouble() > 0
                        || row.path("what").asString().equals("helpers, 0 pods"), row.toString()));
        String svg = Files.readString(picture);
        assertTrue(svg.contains("RunPodSandbox") && svg.contains("network"), "neither calls nor steps in " + svg);
        assertEquals(before, left());
    }

    @Test
    void aBenchThatFailsLeavesNothing() throws Exception {
        Ended ended = bench("pods", "--rounds", "2", "--network", "builtin", "--against",
                directory.resolve("nobody.sock").toString());
        // "The daemon cannot be reached", as every command says it.
        assertEquals(120, ended.code(), ended.errors());
        assertTrue(ended.errors().contains("nobody.sock"), ended.errors());
        assertEquals(before, left());
    }

    @Test
    void theTableHasALineForEachCall() throws Exception {
        Ended ended = bench("pods", "--rounds", "1", "--network", "builtin");
        assertEquals(0, ended.code(), ended.errors());
        assertTrue(ended.output().lines().anyMatch(line -> line.matches("RunPodSandbox +ms +[0-9.]+ +[0-9.]+")),
                ended.output());
        assertEquals(before, left());
    }
}
