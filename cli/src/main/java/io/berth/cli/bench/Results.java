package io.berth.cli.bench;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** What was measured, row by row in the order of its coming. Thread-safe. */
final class Results {

    /** The heading of a row. */
    record Row(Kind kind, String what, String unit) {}

    /** Many values in few. The percentiles are values that occurred (nearest rank). */
    record Figures(int count, double median, double p99, double least, double most) {

        static Figures of(List<Double> values) {
            double[] sorted = values.stream().mapToDouble(Double::doubleValue).sorted().toArray();
            return new Figures(sorted.length, rank(sorted, 0.5), rank(sorted, 0.99), sorted[0], sorted[sorted.length - 1]);
        }

        private static double rank(double[] sorted, double share) {
            return sorted[Math.max(0, (int) Math.ceil(share * sorted.length) - 1)];
        }
    }

    private final Map<Row, Map<String, List<Double>>> values = new LinkedHashMap<>();

    /** Adds a value for a contestant. */
    synchronized void add(Row row, String contestant, double value) {
        values.computeIfAbsent(row, unseen -> new LinkedHashMap<>()).computeIfAbsent(contestant, unseen -> new ArrayList<>())
                .add(value);
    }

    /** Adds a time in milliseconds. */
    void addNanos(Kind kind, String what, String contestant, long nanos) {
        add(new Row(kind, what, "ms"), contestant, nanos / 1e6);
    }

    /** All rows with the figures of each contestant that has any. */
    synchronized Map<Row, Map<String, Figures>> figures() {
        Map<Row, Map<String, Figures>> all = new LinkedHashMap<>();
        values.forEach((row, byContestant) -> {
            Map<String, Figures> figures = new LinkedHashMap<>();
            byContestant.forEach((contestant, found) -> figures.put(contestant, Figures.of(found)));
            all.put(row, figures);
        });
        return all;
    }
}
