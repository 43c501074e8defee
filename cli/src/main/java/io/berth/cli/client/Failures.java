package io.berth.cli.client;

import io.berth.base.RuntimeFault;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.nio.file.Path;
import java.util.Objects;
import java.util.stream.Stream;

/** Turns what a call ended with into one line for a person, and an exit code. */
public final class Failures {

    private Failures() {}

    /**
     * The fault behind {@code failure}.
     *
     * @param socket where the daemon was asked
     * @param call what was asked of it; empty where that is not known
     */
    public static RuntimeFault fault(Throwable failure, Path socket, String call) {
        return switch (failure) {
            case RuntimeFault fault -> fault;
            case StatusRuntimeException status -> of(status.getStatus(), socket, call);
            default -> RuntimeFault.internal("internal error: " + failure, failure);
        };
    }

    private static RuntimeFault of(Status status, Path socket, String call) {
        String what = call.isEmpty() ? "call " + socket : "call " + call + " at " + socket;
        String words = status.getDescription() == null ? status.getCode().toString() : oneLine(status.getDescription());
        return switch (status.getCode()) {
            case UNAVAILABLE -> isQueueFull(status) ? hung(what) : wasAnswered(status) ? new DaemonFault(ExitCode.FAILED, words)
                    : new DaemonFault(ExitCode.DAEMON_DOWN, what + ": the daemon went away or speaks another protocol: see its"
                            + " log (journalctl -u berth) and try again");
            case DEADLINE_EXCEEDED -> isOurDeadline(words) ? hung(what) : new DaemonFault(ExitCode.FAILED, words);
            case UNIMPLEMENTED -> new DaemonFault(ExitCode.OTHER_VERSION, what + ": the daemon does not know this call: it is"
                    + " another version or another runtime (berth version --socket " + socket + " tells which)");
            case NOT_FOUND -> new DaemonFault(ExitCode.NOT_FOUND, words);
            case PERMISSION_DENIED, UNAUTHENTICATED, OK, CANCELLED, UNKNOWN, INVALID_ARGUMENT, ALREADY_EXISTS,
                    RESOURCE_EXHAUSTED, FAILED_PRECONDITION, ABORTED, OUT_OF_RANGE, INTERNAL, DATA_LOSS ->
                new DaemonFault(ExitCode.FAILED, words + " (" + status.getCode() + ")");
        };
    }

    private static DaemonFault hung(String what) {
        return new DaemonFault(ExitCode.DAEMON_HUNG, what + ": no answer in time: the daemon hangs or is overloaded: see its log"
                + " (journalctl -u berth), wait longer with --timeout, or restart it: containers run on");
    }

    // The queue of connections that nobody takes.
    private static boolean isQueueFull(Status status) {
        return Stream.iterate(status.getCause(), Objects::nonNull, Throwable::getCause)
                .anyMatch(cause -> RuntimeFault.reason(cause).contains("temporarily unavailable"));
    }

    // The daemon's own words come without an exception of the transport behind them.
    private static boolean wasAnswered(Status status) {
        return status.getCause() == null && status.getDescription() != null
                && !status.getDescription().startsWith("io exception")
                && !status.getDescription().startsWith("Network closed")
                && !status.getDescription().startsWith("Channel ")
                && !status.getDescription().startsWith("Connection closed");
    }

    private static boolean isOurDeadline(String words) {
        return words.contains("CallOptions deadline exceeded") || words.startsWith("deadline exceeded after")
                || words.startsWith("Deadline exceeded") || words.startsWith("ClientCall started after");
    }

    private static String oneLine(String words) {
        return words.strip().replaceAll("\\s*\\R\\s*", "; ");
    }

    /** The exit code for {@code fault}. */
    public static ExitCode exitCode(RuntimeFault fault) {
        if (fault instanceof DaemonFault daemon) {
            return daemon.code();
        }
        return switch (fault.kind()) {
            case NOT_FOUND -> ExitCode.NOT_FOUND;
            case INVALID_ARGUMENT, ALREADY_EXISTS, FAILED_PRECONDITION, PERMISSION_DENIED, UNAUTHENTICATED,
                    RESOURCE_EXHAUSTED, ABORTED, CANCELLED, DEADLINE_EXCEEDED, UNAVAILABLE, UNSUPPORTED, DATA_LOSS,
                    INTERNAL -> ExitCode.FAILED;
        };
    }
}
