package io.berth.pod.container;

import io.berth.base.RandomId;
import io.berth.base.RuntimeFault;
import io.berth.base.Timeline;
import io.berth.linux.Processes;
import io.berth.pod.Node;
import io.berth.pod.record.Container;
import io.berth.pod.request.CheckContainer;
import io.berth.runtime.OciRuntime;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalInt;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/** A further process in a running container: its specification is that of the container's own with another program. */
public final class ExecProcess {

    private final Node node;

    public ExecProcess(Node node) {
        this.node = node;
    }

    /**
     * Writes what the runtime reads.
     *
     * @param steps the operation that this is a step of
     * @throws RuntimeFault FAILED_PRECONDITION when the container does not run
     */
    public Files prepare(Container container, List<String> command, boolean terminal, Timeline.Operation steps) {
        CheckContainer.command("run a command in container " + container.id(), command);
        if (container.phase() != Container.Phase.RUNNING) {
            throw RuntimeFault.precondition("run " + command.getFirst() + " in container " + container.id()
                    + ": it does not run");
        }
        Path bundle = node.directories().bundle(container.id());
        String name = "exec-" + RandomId.hex(8);
        Files files = new Files(container, bundle.resolve(name + ".json"), bundle.resolve(name + ".pid"), command);
        try {
            steps.run("prepare", () -> files.write(terminal));
            return files;
        } catch (RuntimeFault | IOException e) {
            files.close();
            throw RuntimeFault.during("prepare " + command.getFirst() + " in container " + container.id(), e);
        }
    }

    /** The two files that the runtime is given; removed by {@link #close}. */
    public final class Files implements AutoCloseable {
        private final Container container;
        private final Path specification;
        private final Path pidFile;
        private final List<String> command;

        private Files(Container container, Path specification, Path pidFile, List<String> command) {
            this.container = container;
            this.specification = specification;
            this.pidFile = pidFile;
            this.command = command;
        }

        private void write(boolean terminal) throws IOException {
            Path config = node.directories().bundle(container.id()).resolve("config.json");
            JsonNode spec = JsonMapper.shared().readTree(java.nio.file.Files.readAllBytes(config));
            ObjectNode process = (ObjectNode) spec.get("process");
            command.forEach(process.putArray("args")::add);
            process.put("terminal", terminal);
            ContainerBundle.writePrivate(specification, JsonMapper.shared().writeValueAsBytes(process));
        }

        /** The runtime's command line, to which the process's own input and output belong. */
        public List<String> commandLine(String... options) {
            List<String> verb = new java.util.ArrayList<>(List.of("exec", "--process", specification.toString(),
                    "--pid-file", pidFile.toString()));
            verb.addAll(List.of(options));
            verb.add(container.id());
            return node.runtime(container.handler()).commandLine(verb);
        }

        /**
         * Kills the process and what it started: the runtime's own end would not end them, and not every runtime makes the
         * process leader of a group.
         *
         * @return false when it has not been started
         */
        public boolean kill() {
            OptionalInt pid = pid();
            pid.ifPresent(Processes::killTree);
            return pid.isPresent();
        }

        private OptionalInt pid() {
            try {
                String text = java.nio.file.Files.readString(pidFile).strip();
                return text.matches("[1-9][0-9]{0,8}") ? OptionalInt.of(Integer.parseInt(text)) : OptionalInt.empty();
            } catch (IOException notStarted) {
                return OptionalInt.empty();
            }
        }

        /** Tells a program that never ran from one that failed: only a started one has a pid file. */
        public void refuseFailedStart(int exitCode, String printed) {
            if (exitCode != 0 && pid().isEmpty()) {
                throw OciRuntime.failure("run " + command.getFirst() + " in container " + container.id(), printed);
            }
        }

        @Override
        public void close() {
            try {
                java.nio.file.Files.deleteIfExists(specification);
                java.nio.file.Files.deleteIfExists(pidFile);
            } catch (IOException e) {
                throw RuntimeFault.internal("remove " + specification + ": " + RuntimeFault.reason(e), e);
            }
        }
    }
}
