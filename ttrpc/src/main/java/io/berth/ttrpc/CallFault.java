package io.berth.ttrpc;

import io.berth.base.RuntimeFault;

/** A call that did not succeed; {@link #origin} says whether the peer is still good for further calls. */
public final class CallFault extends RuntimeFault {

    private static final int MESSAGE_LIMIT = 1024;

    /** Where a failure came from. */
    public enum Origin {
        /** The peer has answered, with an error. */
        ANSWER,
        /** No answer came in time. */
        TIMEOUT,
        /** The connection has ended, or the peer does not keep to the protocol. */
        CONNECTION
    }

    private final Origin origin;
    private final int code;

    private CallFault(Origin origin, int code, String message, Throwable cause) {
        super(StatusCodes.kind(code), message, cause);
        this.origin = origin;
        this.code = code;
    }

    static CallFault answer(int code, String message) {
        // A peer's words go into logs and answers: bounded, and on one line.
        String plain = message.replaceAll("\\p{Cntrl}+", " ").strip();
        return new CallFault(Origin.ANSWER, code,
                plain.length() <= MESSAGE_LIMIT ? plain : plain.substring(0, MESSAGE_LIMIT) + "...", null);
    }

    static CallFault timeout(String message) {
        return new CallFault(Origin.TIMEOUT, StatusCodes.DEADLINE_EXCEEDED, message, null);
    }

    static CallFault connection(String message) {
        return connection(message, null);
    }

    static CallFault connection(String message, Throwable cause) {
        return new CallFault(Origin.CONNECTION, StatusCodes.UNAVAILABLE, message, cause);
    }

    public Origin origin() {
        return origin;
    }

    /** Whether the peer says that it has no such method. */
    public boolean isUnimplemented() {
        return origin == Origin.ANSWER && code == StatusCodes.UNIMPLEMENTED;
    }
}
