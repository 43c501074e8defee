package io.berth.cli.output;

import java.util.Collection;
import java.util.stream.Collectors;

/** Values of a configuration as TOML writes them. */
public final class TomlValue {

    private TomlValue() {}

    /** A text, number, flag or list of these. */
    public static String of(Object value) {
        return switch (value) {
            case String text -> '"' + text.replace("\\", "\\\\").replace("\"", "\\\"") + '"';
            case Collection<?> list -> ((Collection<?>) list).stream().map(TomlValue::of)
                    .collect(Collectors.joining(", ", "[", "]"));
            default -> String.valueOf(value);
        };
    }
}
