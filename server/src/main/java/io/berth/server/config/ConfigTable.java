package io.berth.server.config;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.stream.Collectors;

/**
 * Values by dotted key, read one by one: each read notes the key, its default and its problems, so that at the end unknown
 * keys and the effective file are known. Used by one thread.
 */
final class ConfigTable {

    private record Entry(Object value, String source) {}

    private final Map<String, Entry> given = new TreeMap<>();
    private final Map<String, Object> effective = new LinkedHashMap<>();
    private final List<String> problems = new ArrayList<>();
    private final Set<String> tables = new TreeSet<>();

    void put(String key, Object value, String source) {
        if (key.contains(".")) {
            putTable(key.substring(0, key.lastIndexOf('.')));
        }
        given.put(key, new Entry(value, source));
    }

    /** Notes a table, which may have no key in it. */
    void putTable(String name) {
        tables.add(name);
    }

    void problem(String text) {
        problems.add(text);
    }

    String text(String key, String fallback) {
        return read(key, fallback, "a string", value -> value instanceof String text ? text : null);
    }

    Path path(String key, String fallback) {
        String text = text(key, fallback);
        if (!text.startsWith("/")) {
            problems.add(where(key) + key + " = \"" + text + "\": an absolute path is needed");
        }
        return Path.of(text);
    }

    boolean flag(String key, boolean fallback) {
        return read(key, fallback, "true or false", value -> value instanceof Boolean flag ? flag : null);
    }

    long number(String key, long fallback, long least, long most) {
        long value = read(key, fallback, "a whole number", found -> found instanceof Long number ? number : null);
        if (value < least || value > most) {
            problems.add(where(key) + key + " = " + value + ": must be from " + least + " to " + most);
        }
        return value;
    }

    /** A number from 0 to 1. */
    double ratio(String key, double fallback) {
        double value = read(key, fallback, "a number", found -> found instanceof Number number ? number.doubleValue() : null);
        if (!(value >= 0 && value <= 1)) {
            problems.add(where(key) + key + " = " + value + ": must be from 0 to 1");
        }
        return value;
    }

    /** A duration such as {@code 4h}, {@code 1m30s} or {@code 500ms}. */
    Duration duration(String key, String fallback) {
        String text = text(key, fallback);
        try {
            return Duration.parse("PT" + text.replaceAll("([0-9]+)ms", "0.$1s").replaceAll("0\\.([0-9]{4,})s", "$1ms"));
        } catch (java.time.format.DateTimeParseException e) {
            problems.add(where(key) + key + " = \"" + text + "\": a duration like \"30s\", \"5m\" or \"4h\" is needed");
            return Duration.ZERO;
        }
    }

    List<String> texts(String key, List<String> fallback) {
        return read(key, fallback, "a list of strings", value -> value instanceof List<?> list
                && list.stream().allMatch(String.class::isInstance) ? list.stream().map(String.class::cast).toList() : null);
    }

    /** The names of the tables below {@code prefix}. */
    Set<String> names(String prefix) {
        return tables.stream().filter(name -> name.startsWith(prefix + ".")).map(name -> name.substring(prefix.length() + 1))
                .map(rest -> rest.contains(".") ? rest.substring(0, rest.indexOf('.')) : rest)
                .collect(Collectors.toCollection(TreeSet::new));
    }

    private <T> T read(String key, T fallback, String expected, Function<Object, T> convert) {
        Entry entry = given.get(key);
        T value = fallback;
        if (entry != null) {
            T converted = convert.apply(entry.value);
            if (converted == null) {
                problems.add(where(key) + key + " = " + entry.value + ": " + expected + " is needed");
            } else {
                value = converted;
            }
        }
        effective.put(key, value);
        return value;
    }

    private String where(String key) {
        Entry entry = given.get(key);
        return entry == null ? "" : entry.source + ": ";
    }

    /** All problems: those of single values, then each key that nothing has read. */
    List<String> problems() {
        List<String> all = new ArrayList<>(problems);
        given.forEach((key, entry) -> {
            if (!effective.containsKey(key)) {
                all.add(entry.source + ": " + key + ": there is no such key" + suggestion(key));
            }
        });
        return all;
    }

    private String suggestion(String key) {
        String last = key.substring(key.lastIndexOf('.') + 1);
        return effective.keySet().stream().filter(known -> known.endsWith("." + last) || known.equals(last)
                || known.replace("_", "").equalsIgnoreCase(key.replace("_", ""))).findFirst()
                .map(known -> ": did you mean " + known + "?").orElse("");
    }

    /** Where each key's value comes from: a file, the command line, or {@code default}. */
    Map<String, String> origins() {
        Map<String, String> origins = new LinkedHashMap<>();
        effective.keySet().forEach(key -> origins.put(key, given.containsKey(key) ? given.get(key).source() : "default"));
        return origins;
    }

    Map<String, Object> effective() {
        return effective;
    }
}
