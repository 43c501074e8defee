package io.berth.linux;

import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.stream.Collectors;

/** The formats that the files of cgroups have: a number, or a table of a name and a number a line. */
final class CgroupText {

    /** Version 1 writes "no limit" as a number near the largest page-aligned one. */
    private static final long NO_LIMIT_FROM = 1L << 60;

    private CgroupText() {}

    /** The number; empty for no file, for {@code max} and for a number that stands for no limit. */
    static OptionalLong number(Optional<String> text) {
        if (text.isEmpty() || !text.get().matches("[0-9]{1,20}")) {
            return OptionalLong.empty();
        }
        long value = text.get().length() < 19 ? Long.parseLong(text.get()) : Long.MAX_VALUE;
        return value >= NO_LIMIT_FROM ? OptionalLong.empty() : OptionalLong.of(value);
    }

    /** The lines that are a name and a number. */
    static Map<String, Long> table(Optional<String> text) {
        return text.stream().flatMap(String::lines).map(line -> line.split(" "))
                .filter(fields -> fields.length == 2 && fields[1].matches("[0-9]{1,18}"))
                .collect(Collectors.toMap(fields -> fields[0], fields -> Long.parseLong(fields[1]), (a, b) -> a));
    }

    static OptionalLong entry(Map<String, Long> table, String name) {
        Long value = table.get(name);
        return value == null ? OptionalLong.empty() : OptionalLong.of(value);
    }
}
