package io.berth.cli.migrate;

import io.berth.cli.output.TomlValue;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** What came of another runtime's configuration. Filled by one importer, then read. */
public final class Imported {

    private final Map<String, Object> taken = new LinkedHashMap<>();
    private final List<String> same = new ArrayList<>();
    private final List<String> without = new ArrayList<>();

    /** The value goes to one of Berth's keys. */
    void take(String theirs, String ours, Object value) {
        taken.put(ours, value);
        same.add("taken        " + theirs + " as " + ours);
    }

    /** The value needs nothing: Berth does so in any case, or the thing does not exist here. */
    void unneeded(String theirs, String reason) {
        same.add("not needed   " + theirs + ": " + reason);
    }

    /** Berth has nothing like it. */
    void none(String theirs, Object value, String reason) {
        without.add("NO COUNTERPART " + theirs + " = " + TomlValue.of(value) + ": " + reason);
    }

    /** Berth's keys with their values. */
    public Map<String, Object> taken() {
        return taken;
    }

    /** What a person has to know, the worst last. */
    public List<String> report() {
        List<String> report = new ArrayList<>(same);
        report.addAll(without);
        report.add(same.size() + " keys are taken or not needed, " + without.size() + " have no counterpart");
        return report;
    }

    /** Berth's configuration file. */
    public String toml(String source) {
        StringBuilder toml = new StringBuilder("# Made of " + source + " by \"berth config import\".\n");
        taken.forEach((key, value) -> toml.append(quoted(key)).append(" = ").append(TomlValue.of(value)).append('\n'));
        return toml.toString();
    }

    private static String quoted(String key) {
        List<String> parts = new ArrayList<>();
        for (String part : key.split("\\.")) {
            parts.add(part.matches("[A-Za-z0-9_-]+") ? part : TomlValue.of(part));
        }
        return String.join(".", parts);
    }
}
