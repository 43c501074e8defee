package io.berth.base;

/**
 * The one failure that crosses Berth's modules: a kind, which the edge maps to a gRPC status, and a message for people.
 *
 * <p>Messages are lower case, of the form "action object: reason", and name the cure where it is known.
 */
public class RuntimeFault extends RuntimeException {

    /** What went wrong, in the vocabulary of gRPC status codes. */
    public enum Kind {
        INVALID_ARGUMENT("the request or a configuration cannot be: the message names the field"),
        NOT_FOUND("there is no such pod, container or image, or no such manifest at the registry"),
        ALREADY_EXISTS("another one has this name; the message has its id"),
        FAILED_PRECONDITION("it could be, but not now or not here: a container that does not run, a handler without a feature"),
        PERMISSION_DENIED("the registry, a policy or the machine refuses it, with its words"),
        UNAUTHENTICATED("the registry does not take the credentials, or wants some"),
        RESOURCE_EXHAUSTED("nothing is left of it, such as addresses in the subnet, or a limit is passed"),
        ABORTED("it was given up for something else that was asked meanwhile"),
        CANCELLED("whoever asked went away, or the daemon ends"),
        DEADLINE_EXCEEDED("a command, a plugin or a runtime took longer than it may"),
        UNAVAILABLE("a registry, a plugin or the network is not ready; the kubelet tries again"),
        /** The machine or an installed tool cannot do what was asked. */
        UNSUPPORTED("this machine, its runtime or Berth cannot do it"),
        DATA_LOSS("bytes did not have the digest that they should: nothing of them is kept"),
        INTERNAL("a fault of Berth or of a program that it runs; the log has the trace");

        private final String meaning;

        Kind(String meaning) {
            this.meaning = meaning;
        }

        /** What it stands for, for the reference of errors. */
        public String meaning() {
            return meaning;
        }
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
