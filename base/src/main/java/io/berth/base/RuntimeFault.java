package io.berth.base;

/**
 * The one failure that crosses Berth's modules: a kind, which the edge maps to a gRPC status, and a message for people.
 *
 * <p>Messages are lower case, of the form "action object: reason", and name the cure where it is known.
 */
public class RuntimeFault extends RuntimeException {

    /** What went wrong, in the vocabulary of gRPC status codes. */
    public enum Kind {
        INVALID_ARGUMENT,
        NOT_FOUND,
        ALREADY_EXISTS,
        FAILED_PRECONDITION,
        PERMISSION_DENIED,
        UNAUTHENTICATED,
        RESOURCE_EXHAUSTED,
        ABORTED,
        CANCELLED,
        DEADLINE_EXCEEDED,
        UNAVAILABLE,
        /** The machine or an installed tool cannot do what was asked. */
        UNSUPPORTED,
        DATA_LOSS,
        INTERNAL
    }

    private final Kind kind;

    public RuntimeFault(Kind kind, String message) {
        this(kind, message, null);
    }

    public RuntimeFault(Kind kind, String message, Throwable cause) {
        super(message, cause);
        this.kind = kind;
    }

    public Kind kind() {
        return kind;
    }

    public static RuntimeFault invalid(String message) {
        return new RuntimeFault(Kind.INVALID_ARGUMENT, message);
    }

    public static RuntimeFault notFound(String message) {
        return new RuntimeFault(Kind.NOT_FOUND, message);
    }

    public static RuntimeFault precondition(String message) {
        return new RuntimeFault(Kind.FAILED_PRECONDITION, message);
    }

    public static RuntimeFault unsupported(String message) {
        return new RuntimeFault(Kind.UNSUPPORTED, message);
    }

    public static RuntimeFault internal(String message, Throwable cause) {
        return new RuntimeFault(Kind.INTERNAL, message, cause);
    }

    /**
     * The same kind with the words {@code action} in front of the reason; a cause of another type becomes
     * {@link Kind#INTERNAL}.
     */
    public static RuntimeFault during(String action, Throwable cause) {
        Kind kind = cause instanceof RuntimeFault fault ? fault.kind() : Kind.INTERNAL;
        return new RuntimeFault(kind, action + ": " + reason(cause), cause);
    }

    /** The message of {@code failure}, or its type where it has none. */
    public static String reason(Throwable failure) {
        String message = failure.getMessage();
        return message == null || message.isBlank() ? failure.getClass().getSimpleName() : message;
    }
}
