package io.berth.server.config;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A key of the configuration as references and manual pages tell it. Keys of handlers and plugins have NAME for their names.
 *
 * @param table under which the reference has it
 * @param key dotted
 * @param fallback its default, as the code has it
 * @param meaning for people, in Markdown
 */
public record KeyReference(String table, String key, Object fallback, String meaning) {

    private static final String HANDLER = "runtime.runtimes.NAME.";
    private static final String PROXY = "proxy_plugins.NAME.";

    /**
     * All keys, in the order of the reference.
     *
     * @throws IllegalStateException when keys.txt beside this class does not tell just the keys that the code reads
     */
    public static List<KeyReference> all() {
        Map<String, Object> defaults = new LinkedHashMap<>(ConfigFile.defaults(HANDLER, "io.containerd.runc.v2", PROXY));
        defaults.putAll(ConfigFile.defaults(HANDLER, "oci", PROXY));
        List<KeyReference> all = new ArrayList<>();
        String table = "";
        for (String line : lines()) {
            int colon = line.indexOf(": ");
            if (line.startsWith("[")) {
                table = line.substring(1, line.indexOf(']'));
            } else if (!line.startsWith("#")) {
                String key = line.substring(0, colon);
                if (!defaults.containsKey(key)) {
                    throw new IllegalStateException("keys.txt tells " + key + ", which nothing reads");
                }
                all.add(new KeyReference(table, key, defaults.remove(key), line.substring(colon + 2)));
            }
        }
        if (!defaults.isEmpty()) {
            throw new IllegalStateException("keys.txt does not tell " + defaults.keySet());
        }
        return all;
    }

    /** What is meant by a key of an effective configuration, whose handlers have names. */
    public static Map<String, String> meanings(Iterable<String> effective) {
        Map<String, String> known = new LinkedHashMap<>();
        all().forEach(each -> known.put(each.key, each.meaning));
        Map<String, String> meanings = new LinkedHashMap<>();
        effective.forEach(key -> meanings.put(key, known.getOrDefault(
                key.replaceFirst("^runtime\\.runtimes\\.[^.]+\\.", HANDLER)
                        .replaceFirst("^proxy_plugins\\.[^.]+\\.", PROXY), "")));
        return meanings;
    }

    private static List<String> lines() {
        try (BufferedReader in = new BufferedReader(new InputStreamReader(
                KeyReference.class.getResourceAsStream("keys.txt"), StandardCharsets.UTF_8))) {
            return in.readAllLines();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
