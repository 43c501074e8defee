package io.berth.base;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;

/**
 * Where a test can stop or break the daemon: before and after each step that {@link Timeline.Operation} and
 * {@link UndoStack} name, such as {@code RunPodSandbox/network}.
 *
 * <p>Nothing happens, and nothing is paid, unless the Java machine was started with {@code -Dberth.failpoints=DIRECTORY}.
 * Then each point that is passed is appended to the file {@code passed} there, and a line of the file {@code armed} is
 * obeyed and taken out:
 *
 * <pre>
 * before RunPodSandbox/network hold         makes a file "held …" with the point's name and waits until it is removed
 * after RunPodSandbox/network fail ENOSPC   throws what the kernel's answer would have become
 * before Recover/containers halt            ends the Java machine at once
 * </pre>
 *
 * Thread-safe.
 */
final class Failpoints {

    private static final String DIRECTORY = System.getProperty("berth.failpoints", "");
    private static final boolean ON = !DIRECTORY.isEmpty();
    private static final long HELD_LIMIT_MILLIS = 60_000;

    private Failpoints() {}

    static void before(String operation, String step) {
        if (ON) {
            pass("before " + operation + "/" + step);
        }
    }

    static void after(String operation, String step) {
        if (ON) {
            pass("after " + operation + "/" + step);
        }
    }

    private static void pass(String point) {
        try {
            String action = taken(Path.of(DIRECTORY), point);
            switch (action.isEmpty() ? "" : action.split(" ")[0]) {
                case "" -> { }
                case "hold" -> hold(Path.of(DIRECTORY, "held " + point.replace('/', ' ')), point);
                case "fail" -> throw fault(point, action.substring("fail ".length()));
                case "halt" -> Runtime.getRuntime().halt(137);
                default -> throw new IllegalStateException("failpoint " + point + ": there is no action " + action);
            }
        } catch (IOException e) {
            throw new UncheckedIOException("failpoint " + point, e);
        }
    }

    // One line for one pass: a step that is retried after its failure succeeds.
    private static synchronized String taken(Path directory, String point) throws IOException {
        Files.writeString(directory.resolve("passed"), point + "\n", StandardOpenOption.CREATE, StandardOpenOption.APPEND);
        Path armed = directory.resolve("armed");
        if (!Files.exists(armed)) {
            return "";
        }
        List<String> lines = new ArrayList<>(Files.readAllLines(armed));
        for (int i = 0; i < lines.size(); i++) {
            if (lines.get(i).startsWith(point + " ")) {
                String action = lines.remove(i).substring(point.length() + 1);
                Files.write(armed, lines);
                return action;
            }
        }
        return "";
    }

    private static void hold(Path held, String point) throws IOException {
        Files.writeString(held, point + "\n");
        long deadline = System.nanoTime() + HELD_LIMIT_MILLIS * 1_000_000;
        while (Files.exists(held) && System.nanoTime() < deadline) {
            try {
                Thread.sleep(2);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new RuntimeFault(RuntimeFault.Kind.CANCELLED, "failpoint " + point + ": interrupted", e);
            }
        }
    }

    private static RuntimeFault fault(String point, String errno) {
        RuntimeFault.Kind kind = switch (errno) {
            case "ENOSPC" -> RuntimeFault.Kind.RESOURCE_EXHAUSTED;
            case "ETIMEDOUT" -> RuntimeFault.Kind.DEADLINE_EXCEEDED;
            default -> RuntimeFault.Kind.INTERNAL;
        };
        return new RuntimeFault(kind, "failpoint " + point + ": " + errno);
    }
}
