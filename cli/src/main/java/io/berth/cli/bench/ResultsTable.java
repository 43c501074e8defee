package io.berth.cli.bench;

import io.berth.cli.bench.Results.Figures;
import io.berth.cli.bench.Results.Row;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** Results as lines of text: medians and 99th percentiles, and the first contestant's median as a part of each other's. */
final class ResultsTable {

    private ResultsTable() {}

    static List<String> lines(Results results, List<String> contestants) {
        List<String> lines = new ArrayList<>();
        Kind shown = null;
        for (Map.Entry<Row, Map<String, Figures>> entry : results.figures().entrySet()) {
            if (entry.getKey().kind() != shown) {
                shown = entry.getKey().kind();
                if (!lines.isEmpty()) {
                    lines.add("");
                }
                lines.add(heading(shown, contestants));
            }
            lines.add(line(entry.getKey(), entry.getValue(), contestants));
        }
        return lines;
    }

    private static String heading(Kind kind, List<String> contestants) {
        StringBuilder line = new StringBuilder("%-30s %-6s".formatted(kind.word(), "unit"));
        for (int at = 0; at < contestants.size(); at++) {
            String name = contestants.get(at);
            line.append(" %20s".formatted(name.length() > 20 ? name.substring(0, 17) + "..." : name));
            line.append("%9s".formatted("p99")).append(at == 0 ? "" : "%7s".formatted("ratio"));
        }
        return line.toString();
    }

    private static String line(Row row, Map<String, Figures> figures, List<String> contestants) {
        StringBuilder line = new StringBuilder("%-30s %-6s".formatted(row.what(), row.unit()));
        Figures first = figures.get(contestants.getFirst());
        for (int at = 0; at < contestants.size(); at++) {
            Figures own = figures.get(contestants.get(at));
            line.append(own == null ? " %20s%9s".formatted("-", "-") : number(" %20.1f%9.1f", own.median(), own.p99()));
            if (at > 0) {
                line.append(own == null || first == null || own.median() == 0 ? "%7s".formatted("-")
                        : number("%7.2f", first.median() / own.median()));
            }
        }
        return line.toString();
    }

    private static String number(String format, Object... numbers) {
        return String.format(Locale.ROOT, format, numbers);
    }
}
