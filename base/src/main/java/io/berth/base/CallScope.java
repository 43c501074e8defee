package io.berth.base;

import java.util.Optional;
import java.util.function.Supplier;

/**
 * The client's call that the present thread works for. It is told of the steps that are taken for it and has a trace id for the
 * log. Where work goes on in another thread, {@link #carried} takes it along; where nothing was bound, nothing is paid.
 */
public final class CallScope {

    /** A call under way. Thread-safe; must be quick and must not fail. */
    public interface Call {

        /** Told of each step when it ends, on the thread that took it. */
        void step(Timeline.Step step);

        /** 32 hexadecimal digits, where the call is traced. */
        Optional<String> traceId();
    }

    private static final ScopedValue<Call> CURRENT = ScopedValue.newInstance();

    private CallScope() {}

    /** Runs {@code work} for {@code call}. */
    public static <T> T within(Call call, Supplier<T> work) {
        return ScopedValue.where(CURRENT, call).call(work::get);
    }

    /** {@code work} for another thread, which then works for the present one's call. */
    public static Runnable carried(Runnable work) {
        if (!CURRENT.isBound()) {
            return work;
        }
        Call call = CURRENT.get();
        return () -> ScopedValue.where(CURRENT, call).run(work);
    }

    /** The present thread's call. */
    public static Optional<Call> current() {
        return CURRENT.isBound() ? Optional.of(CURRENT.get()) : Optional.empty();
    }

    static void tell(Timeline.Step step) {
        if (CURRENT.isBound()) {
            CURRENT.get().step(step);
        }
    }
}
