package io.berth.streaming;

import io.berth.base.RuntimeFault;
import java.util.List;

/**
 * Run {@code command} in a container, with the streams that are asked for.
 *
 * @param command the program and its arguments; not empty
 */
public record ExecRequest(
        String containerId, List<String> command, boolean tty, boolean stdin, boolean stdout, boolean stderr)
        implements ProcessRequest {

    public ExecRequest {
        command = List.copyOf(command);
        if (command.isEmpty()) {
            throw RuntimeFault.invalid("exec " + containerId + ": command is empty");
        }
        ProcessRequest.check("exec", containerId, tty, stdin, stdout, stderr);
    }
}
