package io.berth.image;

import io.berth.base.RuntimeFault;
import java.time.Duration;
import java.util.Optional;

/** A request to a registry failed; tells the retry loop whether to ask again. */
final class RegistryFault extends RuntimeFault {

    private final boolean passing;
    private final Optional<Duration> retryAfter;

    private RegistryFault(Kind kind, String message, Throwable cause, boolean passing, Optional<Duration> retryAfter) {
        super(kind, message, cause);
        this.passing = passing;
        this.retryAfter = retryAfter;
    }

    static RegistryFault lasting(Kind kind, String message, Throwable cause) {
        return new RegistryFault(kind, message, cause, false, Optional.empty());
    }

    static RegistryFault passing(Kind kind, String message, Throwable cause, Optional<Duration> retryAfter) {
        return new RegistryFault(kind, message, cause, true, retryAfter);
    }

    /** Whether the same request may succeed later. */
    boolean isPassing() {
        return passing;
    }

    /** How long the registry asks to wait. */
    Optional<Duration> retryAfter() {
        return retryAfter;
    }
}
