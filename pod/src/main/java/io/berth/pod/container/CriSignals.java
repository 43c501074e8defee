package io.berth.pod.container;

import io.berth.cri.v1.Signal;
import io.berth.linux.Signals;
import java.util.Arrays;
import java.util.OptionalInt;

/** The CRI numbers signals in its own way; their names are the kernel's, with + and - spelled out. */
public final class CriSignals {

    private CriSignals() {}

    /** The kernel's number; empty for RUNTIME_DEFAULT and for what this kernel does not have. */
    public static OptionalInt number(Signal signal) {
        if (signal == Signal.SIGNAL_RUNTIME_DEFAULT || signal == Signal.UNRECOGNIZED) {
            return OptionalInt.empty();
        }
        return Signals.parse(signal.name().replace("SIGNAL_", "").replace("MINUS", "-").replace("PLUS", "+"));
    }

    /** The CRI's word for the kernel's {@code number}. */
    public static Signal of(int number) {
        return Arrays.stream(Signal.values()).filter(signal -> number(signal).orElse(-1) == number).findFirst()
                .orElse(Signal.SIGNAL_RUNTIME_DEFAULT);
    }
}
