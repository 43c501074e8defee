package io.berth.image;

import io.berth.base.RuntimeFault;
import java.time.Duration;
import java.util.Optional;

/** A request to a registry failed; tells the retry loop whether to ask again. */
final class RegistryFault extends RuntimeFault {

    private static final int UNREACHABLE_ATTEMPTS = 2;

    private final boolean passing;
    private final Optional<Duration> retryAfter;
    private final int attemptLimit;

    private RegistryFault(Kind kind, String message, Throwable cause, boolean passing, Optional<Duration> retryAfter,
            int attemptLimit) {
        super(kind, message, cause);
        this.attemptLimit = attemptLimit;
        this.passing = passing;
        this.retryAfter = retryAfter;
    }

    static RegistryFault lasting(Kind kind, String message, Throwable cause) {
        return new RegistryFault(kind, message, cause, false, Optional.empty(), 1);
    }

    static RegistryFault passing(Kind kind, String message, Throwable cause, Optional<Duration> retryAfter) {
        return new RegistryFault(kind, message, cause, true, retryAfter, Integer.MAX_VALUE);
    }

    /** Nothing listens or no route leads there, which a few seconds rarely change: asked once more only. */
    static RegistryFault unreachable(String message, Throwable cause) {
        return new RegistryFault(Kind.UNAVAILABLE, message, cause, true, Optional.empty(), UNREACHABLE_ATTEMPTS);
    }

    /** How often the request is made at most. */
    int attempts(int configured) {
        return Math.min(configured, attemptLimit);
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
