package io.berth.cli.output;

import java.util.ArrayList;
import java.util.List;

/** Rows under headings, each column as wide as its widest cell. Used by one thread. */
public final class Table {

    private final List<String> headings;
    private final List<List<String>> rows = new ArrayList<>();

    /** @param headings one that begins with {@code >} makes its column right-aligned */
    public Table(String... headings) {
        this.headings = List.of(headings);
    }

    /** Adds a row; there are as many cells as headings. */
    public Table row(Object... cells) {
        if (cells.length != headings.size()) {
            throw new IllegalArgumentException(cells.length + " cells for " + headings.size() + " headings");
        }
        List<String> row = new ArrayList<>();
        for (Object cell : cells) {
            // A name in an image or a label may hold anything: nothing of it may move the cursor.
            row.add(String.valueOf(cell).replaceAll("\\p{Cntrl}", "?"));
        }
        rows.add(row);
        return this;
    }

    /** The heading, then a line a row. */
    public List<String> lines() {
        List<List<String>> all = new ArrayList<>();
        all.add(headings.stream().map(heading -> heading.replaceFirst("^>", "")).toList());
        all.addAll(rows);
        int[] widths = new int[headings.size()];
        for (List<String> row : all) {
            for (int i = 0; i < widths.length; i++) {
                widths[i] = Math.max(widths[i], row.get(i).length());
            }
        }
        return all.stream().map(row -> line(row, widths)).toList();
    }

    private String line(List<String> row, int[] widths) {
        StringBuilder line = new StringBuilder();
        for (int i = 0; i < widths.length; i++) {
            String padding = " ".repeat(widths[i] - row.get(i).length());
            boolean right = headings.get(i).startsWith(">");
            line.append(i == 0 ? "" : "  ").append(right ? padding : "").append(row.get(i)).append(right ? "" : padding);
        }
        return line.toString().stripTrailing();
    }
}
