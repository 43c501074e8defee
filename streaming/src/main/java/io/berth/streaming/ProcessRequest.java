package io.berth.streaming;

import io.berth.base.RuntimeFault;

/**
 * A request for the standard streams of a process: exec or attach.
 *
 * <p>The rules are those of the CRI (api.proto, ExecRequest and AttachRequest): at least one stream, and no separate
 * standard error on a terminal.
 */
public sealed interface ProcessRequest extends StreamRequest permits ExecRequest, AttachRequest {

    String containerId();

    boolean tty();

    boolean stdin();

    boolean stdout();

    boolean stderr();

    /** Checks the rules that both requests share; {@code action} starts the message. */
    static void check(String action, String containerId, boolean tty, boolean stdin, boolean stdout, boolean stderr) {
        if (containerId.isEmpty()) {
            throw RuntimeFault.invalid(action + ": container id is empty");
        }
        if (tty && stderr) {
            throw RuntimeFault.invalid(action + " " + containerId + ": tty and stderr cannot both be true");
        }
        if (!stdin && !stdout && !stderr) {
            throw RuntimeFault.invalid(action + " " + containerId + ": one of stdin, stdout or stderr must be true");
        }
    }
}
