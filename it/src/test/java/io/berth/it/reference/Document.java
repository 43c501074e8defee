package io.berth.it.reference;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;

/**
 * A document with parts that are made from the code: what stands between the lines {@code <!-- from the code: NAME -->} and
 * {@code <!-- end -->}.
 */
record Document(Path path) {

    private static final String BEGIN = "<!-- from the code: ";
    private static final String END = "<!-- end -->";

    /** As it is. */
    String text() throws IOException {
        return Files.readString(path);
    }

    /**
     * As it should be.
     *
     * @param parts the lines of each part by its name; each must have its place
     */
    String with(Map<String, List<String>> parts) throws IOException {
        List<String> lines = new ArrayList<>();
        TreeSet<String> missing = new TreeSet<>(parts.keySet());
        boolean inside = false;
        for (String line : Files.readAllLines(path)) {
            inside &= !line.equals(END);
            if (!inside) {
                lines.add(line);
            }
            if (line.startsWith(BEGIN)) {
                String name = line.substring(BEGIN.length(), line.indexOf(" -->"));
                lines.addAll(parts.getOrDefault(name, List.of("there is no part \"" + name + "\"")));
                missing.remove(name);
                inside = true;
            }
        }
        if (inside || !missing.isEmpty()) {
            throw new IllegalStateException(path + ": no \"" + END + "\" at the last part, or no place for " + missing);
        }
        return String.join("\n", lines) + "\n";
    }
}
