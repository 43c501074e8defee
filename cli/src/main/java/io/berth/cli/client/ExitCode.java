package io.berth.cli.client;

/**
 * With what {@code berth} ends. Failures of the way to the daemon have codes above those that programs usually have, so that
 * they can be told from the exit code of a command in a container, which run, exec and attach pass on.
 */
public enum ExitCode {
    OK(0, "all is well"),
    FAILED(1, "what was asked for failed; the message says why"),
    USAGE(2, "the command line is wrong"),
    NOT_FOUND(3, "there is no such pod, container or image"),
    DAEMON_DOWN(120, "no daemon answers at the socket"),
    DAEMON_HUNG(121, "the daemon did not answer in time"),
    NOT_PERMITTED(122, "the socket may not be used by this user"),
    OTHER_VERSION(123, "the daemon does not know the call: another version or another runtime"),
    STREAM_FAILED(125, "run, exec or attach failed before or beside the command in the container");

    private final int number;
    private final String meaning;

    ExitCode(int number, String meaning) {
        this.number = number;
        this.meaning = meaning;
    }

    public int number() {
        return number;
    }

    /** For the help. */
    public String meaning() {
        return meaning;
    }
}
