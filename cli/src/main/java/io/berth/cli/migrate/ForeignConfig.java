package io.berth.cli.migrate;

import io.berth.base.RuntimeFault;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.tomlj.Toml;
import org.tomlj.TomlArray;
import org.tomlj.TomlParseResult;
import org.tomlj.TomlTable;

/**
 * A TOML file of another program.
 *
 * @param values by path: keys joined by {@code /}, because the names of containerd's plugins have dots in them
 */
public record ForeignConfig(Map<String, Object> values) {

    /** @throws RuntimeFault NOT_FOUND or INVALID_ARGUMENT with the line */
    public static ForeignConfig read(Path file) {
        if (!Files.isRegularFile(file)) {
            throw RuntimeFault.notFound("read " + file + ": there is no such file");
        }
        try {
            return parse(Toml.parse(file), file.toString());
        } catch (IOException e) {
            throw RuntimeFault.precondition("read " + file + ": " + RuntimeFault.reason(e));
        }
    }

    /** For a text. */
    static ForeignConfig parse(TomlParseResult parsed, String name) {
        if (parsed.hasErrors()) {
            throw RuntimeFault.invalid("read " + name + ":" + parsed.errors().getFirst().position().line() + ": "
                    + parsed.errors().getFirst().getMessage());
        }
        Map<String, Object> values = new LinkedHashMap<>();
        flatten("", parsed, values);
        return new ForeignConfig(values);
    }

    private static void flatten(String prefix, TomlTable table, Map<String, Object> values) {
        for (String key : table.keySet()) {
            String path = prefix + key;
            switch (table.get(List.of(key))) {
                case TomlTable inner -> flatten(path + "/", inner, values);
                case TomlArray array -> values.put(path, array.toList());
                case null -> { }
                case Object value -> values.put(path, value);
            }
        }
    }

    /** Whether there is anything in the table of this name. */
    public boolean hasTable(String name) {
        return values.keySet().stream().anyMatch(key -> key.startsWith(name + "/"));
    }
}
