package io.berth.cli.bench;

import io.berth.cli.bench.Results.Figures;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import tools.jackson.databind.json.JsonMapper;

/** Results as JSON: the conditions, then an object for each row with the figures of each contestant. */
final class ResultsJson {

    private ResultsJson() {}

    static String text(Results results, List<String> contestants, Map<String, Object> conditions) {
        List<Map<String, Object>> rows = new ArrayList<>();
        results.figures().forEach((row, figures) -> {
            Map<String, Object> out = new LinkedHashMap<>();
            out.put("kind", row.kind().word());
            out.put("what", row.what());
            out.put("unit", row.unit());
            Map<String, Object> by = new LinkedHashMap<>();
            figures.forEach((contestant, found) -> by.put(contestant, numbers(found, figures.get(contestants.getFirst()))));
            out.put("contestants", by);
            rows.add(out);
        });
        Map<String, Object> all = new LinkedHashMap<>();
        all.put("conditions", conditions);
        all.put("rows", rows);
        return JsonMapper.shared().writerWithDefaultPrettyPrinter().writeValueAsString(all);
    }

    private static Map<String, Object> numbers(Figures figures, Figures first) {
        Map<String, Object> numbers = new LinkedHashMap<>();
        numbers.put("count", figures.count());
        numbers.put("median", figures.median());
        numbers.put("p99", figures.p99());
        numbers.put("min", figures.least());
        numbers.put("max", figures.most());
        if (first != null && first != figures && figures.median() > 0) {
            numbers.put("ratio", first.median() / figures.median());
        }
        return numbers;
    }
}
