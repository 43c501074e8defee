package io.berth.linux;

import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * How long the processes of a cgroup have waited for a resource. Source: the kernel's accounting/psi, cgroup-v2.
 *
 * @param some while at least one waited
 * @param full while all waited; zero where the kernel does not tell
 */
public record Pressure(Stall some, Stall full) {

    /**
     * Waiting.
     *
     * @param totalNanos since the group was made
     * @param percent10 of the last 10 seconds, 0 to 100
     * @param percent60 of the last minute
     * @param percent300 of the last five minutes
     */
    public record Stall(long totalNanos, double percent10, double percent60, double percent300) {
        static final Stall NONE = new Stall(0, 0, 0, 0);
    }

    /**
     * Reads the pressure of {@code group}; empty when the kernel does not tell.
     *
     * @param resource {@code cpu}, {@code memory} or {@code io}
     */
    static Optional<Pressure> read(Cgroups cgroups, String group, String resource) {
        return cgroups.readUnified(group, resource + ".pressure").map(Pressure::parse);
    }

    static Pressure parse(String text) {
        Map<String, Stall> lines = text.lines().map(line -> line.split(" ")).filter(fields -> fields.length > 1)
                .collect(Collectors.toMap(fields -> fields[0], Pressure::stall, (a, b) -> a));
        return new Pressure(lines.getOrDefault("some", Stall.NONE), lines.getOrDefault("full", Stall.NONE));
    }

    private static Stall stall(String[] fields) {
        Map<String, String> values = Stream.of(fields).skip(1).map(field -> field.split("=", 2))
                .filter(pair -> pair.length == 2 && pair[1].matches("[0-9]{1,15}(\\.[0-9]{1,6})?"))
                .collect(Collectors.toMap(pair -> pair[0], pair -> pair[1], (a, b) -> a));
        return new Stall(Math.round(decimal(values, "total")) * 1000, decimal(values, "avg10"), decimal(values, "avg60"),
                decimal(values, "avg300"));
    }

    private static double decimal(Map<String, String> values, String name) {
        return Double.parseDouble(values.getOrDefault(name, "0"));
    }
}
