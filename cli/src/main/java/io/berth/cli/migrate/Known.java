package io.berth.cli.migrate;

import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A key of another runtime that Berth has no key for, and why that is well.
 *
 * @param expected the value for which it is; empty for every value
 * @param reason for a person
 */
record Known(Optional<Object> expected, String reason) {

    /** Whatever it says, nothing is lost. */
    static Known always(String reason) {
        return new Known(Optional.empty(), reason);
    }

    /** Nothing is lost while it says this, which is nearly always the other runtime's default. */
    static Known where(Object expected, String reason) {
        return new Known(Optional.of(expected), reason);
    }

    private boolean isFine(Object value) {
        return expected.isEmpty() || expected.get().equals(value);
    }

    /**
     * Reports a key that has no counterpart.
     *
     * @param name the key's name in {@code known}
     * @param lost why it is missed, where its value says something
     */
    static void report(Imported imported, Map<String, Known> known, String name, String key, Object value, String lost) {
        Known entry = known.get(name);
        if (entry != null && entry.isFine(value)) {
            imported.unneeded(key, entry.reason);
        } else if (entry == null && saysNothing(value)) {
            imported.unneeded(key, "it says nothing");
        } else {
            imported.none(key, value, lost);
        }
    }

    /** What both runtimes write where nothing is set: a false flag says something only where {@code true} is the default. */
    static boolean saysNothing(Object value) {
        return isEmpty(value) || value.equals(false) || value.equals(0L) || value.equals("0s");
    }

    /** No text and no entries. */
    static boolean isEmpty(Object value) {
        return value.equals("") || value instanceof List<?> list && list.isEmpty();
    }
}
