package io.berth.server.rpc;

import java.util.Map;

/** Label selectors and id filters of the list calls. */
final class Selectors {

    private Selectors() {}

    /** Whether {@code labels} has every pair of {@code selector}. */
    static boolean matches(Map<String, String> selector, Map<String, String> labels) {
        return selector.entrySet().stream().allMatch(wanted -> wanted.getValue().equals(labels.get(wanted.getKey())));
    }

    /** Whether {@code id} is or begins with {@code wanted}; an empty wish matches all. */
    static boolean matchesId(String wanted, String id) {
        return id.startsWith(wanted);
    }
}
