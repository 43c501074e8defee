package io.berth.cli.migrate;

import io.berth.base.RuntimeFault;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.StreamSupport;
import org.tomlj.Toml;
import org.tomlj.TomlArray;
import org.tomlj.TomlParseResult;
import org.tomlj.TomlTable;

/**
 * TOML files of another program.
 *
 * @param values by path: keys joined by {@code /}, because the names of containerd's plugins have dots in them
 * @param tables the outermost ones, also those with nothing in them: what crio config writes is comments only
 */
public record ForeignConfig(Map<String, Object> values, Set<String> tables) {

    /**
     * Reads files, of which a later one wins key by key, as it does with both runtimes. What containerd's {@code imports} name
     * is read after the file that names it.
     *
     * @throws RuntimeFault NOT_FOUND or INVALID_ARGUMENT with the line
     */
    public static ForeignConfig read(List<Path> files) {
        Map<String, Object> values = new LinkedHashMap<>();
        Set<String> tables = new HashSet<>();
        Set<Path> read = new HashSet<>();
        Deque<Path> waiting = new ArrayDeque<>(files);
        while (!waiting.isEmpty()) {
            Path file = waiting.pop();
            if (read.add(file.toAbsolutePath().normalize())) {
                ForeignConfig found = read(file);
                values.putAll(found.values);
                tables.addAll(found.tables);
                if (found.values.get("imports") instanceof List<?> patterns) {
                    imported(file, patterns).reversed().forEach(waiting::push);
                }
            }
        }
        return new ForeignConfig(values, tables);
    }

    private static List<Path> imported(Path file, List<?> patterns) {
        List<Path> imported = new ArrayList<>();
        for (Object pattern : patterns) {
            Path path = file.toAbsolutePath().resolveSibling(pattern.toString());
            if (!pattern.toString().contains("*")) {
                imported.add(path);
            } else if (Files.isDirectory(path.getParent())) {
                try (DirectoryStream<Path> matching = Files.newDirectoryStream(path.getParent(), path.getFileName().toString())) {
                    StreamSupport.stream(matching.spliterator(), false).sorted().forEach(imported::add);
                } catch (IOException e) {
                    throw RuntimeFault.precondition("list " + path.getParent() + ": " + RuntimeFault.reason(e));
                }
            }
        }
        return imported;
    }

    private static ForeignConfig read(Path file) {
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
        return new ForeignConfig(values, parsed.keySet().stream().filter(parsed::isTable).collect(Collectors.toSet()));
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

    /** Whether there is an outermost table of this name. */
    public boolean hasTable(String name) {
        return tables.contains(name);
    }
}
