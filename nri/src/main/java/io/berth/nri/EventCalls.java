package io.berth.nri;

import io.berth.nri.v1.Event;
import java.util.Arrays;
import java.util.stream.Collectors;

/** Events as positions in a mask and as names of calls. */
final class EventCalls {

    /** Every event that there is. */
    static final int ALL = (1 << Event.LAST_VALUE - 1) - 1;

    private EventCalls() {}

    static boolean isIn(int mask, Event event) {
        return (mask & 1 << event.getNumber() - 1) != 0;
    }

    /** The name of the call, such as {@code RunPodSandbox} for RUN_POD_SANDBOX. */
    static String method(Event event) {
        return Arrays.stream(event.name().split("_"))
                .map(word -> word.charAt(0) + word.substring(1).toLowerCase(java.util.Locale.ROOT))
                .collect(Collectors.joining());
    }
}
