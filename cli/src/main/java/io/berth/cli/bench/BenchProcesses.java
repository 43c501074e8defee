package io.berth.cli.bench;

import io.berth.base.RuntimeFault;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/** Processes of this machine by what their command lines say, and their memory. Source: proc(5). */
final class BenchProcesses {

    private static final Set<String> MONITORS = Set.of("conmon", "conmonrs", "containerd-shim", "containerd-shim-runc-v2");

    private BenchProcesses() {}

    /** Processes other than this one whose command lines hold {@code text}. */
    static List<Integer> withText(String text) {
        return all().stream().filter(pid -> pid != ProcessHandle.current().pid() && commandLine(pid).contains(text)).toList();
    }

    /**
     * Monitors and shims of a runtime, with what else they hold for a pod beside its workload, such as pause processes.
     *
     * @param mark in the command lines of the runtime's monitors
     * @param workload in the command lines of the pods' own processes
     */
    static List<Integer> helpers(String mark, String workload) {
        List<Integer> found = new ArrayList<>();
        List<Integer> monitors = all().stream().filter(pid -> isMonitor(commandLine(pid), mark)).toList();
        found.addAll(monitors);
        all().stream().filter(pid -> parent(pid).filter(monitors::contains).isPresent())
                .filter(pid -> !commandLine(pid).contains(workload) && !monitors.contains(pid)).forEach(found::add);
        return found;
    }

    private static boolean isMonitor(String commandLine, String mark) {
        String program = commandLine.split(" ", 2)[0];
        return MONITORS.contains(program.substring(program.lastIndexOf('/') + 1)) && commandLine.contains(mark);
    }

    /** The proportional set size of a process in bytes; 0 when it has ended. */
    static long pss(int pid) {
        return field(Path.of("/proc/" + pid + "/smaps_rollup"), "Pss:").map(text ->
                Long.parseLong(text.replace("kB", "").strip()) * 1024).orElse(0L);
    }

    /** Lets the kernel count a process' peak anew; false where it does not allow that. */
    static boolean forgetPeak(int pid) {
        try {
            Files.writeString(Path.of("/proc/" + pid + "/clear_refs"), "5");
            return true;
        } catch (IOException refused) {
            return false;
        }
    }

    /** The most bytes that a process had resident, since {@link #forgetPeak}; 0 when it has ended. */
    static long peak(int pid) {
        return field(Path.of("/proc/" + pid + "/status"), "VmHWM:").map(text ->
                Long.parseLong(text.replace("kB", "").strip()) * 1024).orElse(0L);
    }

    private static Optional<Integer> parent(int pid) {
        return field(Path.of("/proc/" + pid + "/status"), "PPid:").map(Integer::valueOf);
    }

    private static Optional<String> field(Path file, String name) {
        try (Stream<String> lines = Files.lines(file, StandardCharsets.ISO_8859_1)) {
            return lines.filter(line -> line.startsWith(name)).findFirst().map(line -> line.substring(name.length()).strip());
        } catch (IOException | java.io.UncheckedIOException ended) {
            return Optional.empty();
        }
    }

    private static List<Integer> all() {
        try (Stream<Path> processes = Files.list(Path.of("/proc"))) {
            return processes.map(path -> path.getFileName().toString()).filter(name -> name.matches("[0-9]+"))
                    .map(Integer::valueOf).toList();
        } catch (IOException e) {
            throw RuntimeFault.internal("list processes: " + RuntimeFault.reason(e), e);
        }
    }

    private static String commandLine(int pid) {
        try {
            return new String(Files.readAllBytes(Path.of("/proc/" + pid + "/cmdline")), StandardCharsets.UTF_8)
                    .replace('\0', ' ').strip();
        } catch (IOException ended) {
            return "";
        }
    }
}
