package io.berth.cli.client;

import io.berth.base.RuntimeFault;

/** A failure that has an exit code of its own. */
public final class DaemonFault extends RuntimeFault {

    private final ExitCode code;

    public DaemonFault(ExitCode code, String message) {
        super(kind(code), message);
        this.code = code;
    }

    public ExitCode code() {
        return code;
    }

    private static Kind kind(ExitCode code) {
        return switch (code) {
            case DAEMON_DOWN -> Kind.UNAVAILABLE;
            case DAEMON_HUNG -> Kind.DEADLINE_EXCEEDED;
            case NOT_PERMITTED -> Kind.PERMISSION_DENIED;
            case OTHER_VERSION -> Kind.UNSUPPORTED;
            case NOT_FOUND -> Kind.NOT_FOUND;
            case USAGE -> Kind.INVALID_ARGUMENT;
            case OK, FAILED, STREAM_FAILED -> Kind.INTERNAL;
        };
    }
}
