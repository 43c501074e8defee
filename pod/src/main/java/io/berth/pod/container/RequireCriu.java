package io.berth.pod.container;

import io.berth.base.RuntimeFault;
import io.berth.linux.Command;
import io.berth.pod.Node;
import io.berth.runtime.Checkpoints;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;

/** Finds who writes and restores checkpoints of a handler, where the operator allows that and the node can do it. */
final class RequireCriu {

    private RequireCriu() {}

    /**
     * The checkpoints of {@code handler}.
     *
     * @param action the beginning of messages
     * @throws RuntimeFault UNSUPPORTED where it is switched off or the handler has none, FAILED_PRECONDITION without CRIU
     */
    static Checkpoints of(Node node, String handler, String action) {
        if (!node.settings().checkpoints()) {
            throw RuntimeFault.unsupported(action
                    + ": checkpoints are switched off on this node: set runtime.enable_criu_support = true");
        }
        Checkpoints checkpoints = node.runtime(handler).checkpoints().orElseThrow(() ->
                RuntimeFault.unsupported(action + ": not offered for containers behind a shim"));
        boolean there = Stream.of(Command.searchPath().split(":"))
                .anyMatch(directory -> Files.isExecutable(Path.of(directory, "criu")));
        if (!there) {
            throw RuntimeFault.precondition(action + ": there is no program criu in PATH: install it");
        }
        return checkpoints;
    }
}
