package io.berth.pod.container;

import io.berth.base.RuntimeFault;
import io.berth.linux.Processes;
import io.berth.pod.Node;
import io.berth.pod.record.Container;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;

/**
 * Ends the commands that an earlier Berth ran in a container and died over: their client has gone with the connection, and
 * nobody else would ever end them.
 */
public final class LostExecs {

    private final Node node;

    public LostExecs(Node node) {
        this.node = node;
    }

    /** To be called before this Berth runs a command of its own in the container. */
    public void end(Container container) {
        Path bundle = node.directories().bundle(container.id());
        try (DirectoryStream<Path> files = Files.newDirectoryStream(bundle, "exec-*")) {
            List<Path> left = new java.util.ArrayList<>();
            files.forEach(left::add);
            if (left.isEmpty()) {
                return;
            }
            // First the runtimes, so that none of them starts its command after we looked.
            ProcessHandle.allProcesses().filter(process -> process.info().arguments().stream().flatMap(java.util.Arrays::stream)
                    .anyMatch(argument -> argument.startsWith(bundle + "/exec-"))).forEach(ProcessHandle::destroyForcibly);
            // Only what is still in the container: the number may be another process's by now.
            Set<Integer> inside = Set.copyOf(node.cgroups().processes(container.cgroup()));
            for (Path file : left) {
                String pid = file.toString().endsWith(".pid") ? Files.readString(file).strip() : "";
                if (pid.matches("[1-9][0-9]{0,8}") && inside.contains(Integer.valueOf(pid))) {
                    Processes.killTree(Integer.parseInt(pid));
                }
                Files.deleteIfExists(file);
            }
        } catch (IOException e) {
            throw RuntimeFault.internal("end lost commands in container " + container.id() + ": "
                    + RuntimeFault.reason(e), e);
        }
    }
}
