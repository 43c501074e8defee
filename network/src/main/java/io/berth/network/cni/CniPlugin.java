package io.berth.network.cni;

import io.berth.base.RuntimeFault;
import io.berth.base.RuntimeFault.Kind;
import io.berth.linux.ChildProcess;
import io.berth.linux.Fd;
import io.berth.linux.Spawn;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * One plugin binary. Runs on platform threads only; stateless. Its output is bounded: what is beyond the limit is read and
 * dropped, so the plugin does not block, and its answer is refused.
 *
 * <p>Source: the CNI specification, section 2, "Execution protocol".
 *
 * @param type the file name in the plugin directories
 */
record CniPlugin(String type, Path binary, Duration limit) {

    private static final int OUTPUT_BYTES = 1 << 20;
    private static final int ERROR_BYTES = 4 << 10;
    /** What a pipe takes without a reader. Source: pipe(7). */
    private static final int PIPE_BYTES = 64 * 1024;
    private static final long GLANCE_MILLIS = 50;

    /** The plugin called {@code type} in the first directory that has it. */
    static CniPlugin find(String type, List<Path> directories, Duration limit) {
        for (Path directory : directories) {
            Path binary = directory.resolve(type);
            if (Files.isExecutable(binary) && Files.isRegularFile(binary)) {
                return new CniPlugin(type, binary, limit);
            }
        }
        throw CniFault.failed(Kind.UNAVAILABLE, type, "find cni plugin " + type, "it is not in "
                + String.join(", ", directories.stream().map(Path::toString).toList())
                + "; install it there or set the plugin directories", null);
    }

    private record Output(int exitCode, byte[] answer, String errors) {}

    /**
     * Runs it.
     *
     * @param action for messages: verb and sandbox
     * @param environment the CNI variables
     * @param configuration for its standard input
     * @return what it answered, a missing node when nothing
     * @throws CniFault what it said when it failed; DEADLINE_EXCEEDED when it took too long and was killed
     */
    JsonNode run(String action, Map<String, String> environment, ObjectNode configuration) {
        String full = "run cni plugin " + type + " " + action;
        Output output = execute(full, environment, configuration.toString().getBytes(StandardCharsets.UTF_8));
        JsonNode answer = read(output.answer);
        if (output.exitCode == 0 && !answer.has("code")) {
            if (answer.isMissingNode() && output.answer.length > 0 && !new String(output.answer).isBlank()) {
                throw CniFault.failed(Kind.INTERNAL, type, full, "its answer is not JSON: " + excerpt(output), null);
            }
            return answer;
        }
        int code = answer.path("code").asInt(0);
        String text = answer.path("msg").asString("");
        if (code == 0 && text.isEmpty()) {
            throw CniFault.failed(Kind.INTERNAL, type, full, "exit code " + output.exitCode + ": " + excerpt(output), null);
        }
        throw CniFault.answered(type, full, code, text, answer.path("details").asString(""));
    }

    private static JsonNode read(byte[] answer) {
        try {
            return CniConfiguration.JSON.readTree(answer);
        } catch (JacksonException notJson) {
            return CniConfiguration.JSON.missingNode();
        }
    }

    private static String excerpt(Output output) {
        String text = output.errors.isBlank() ? new String(output.answer, StandardCharsets.UTF_8) : output.errors;
        String words = text.strip();
        return words.isEmpty() ? "it printed nothing" : words.substring(0, Math.min(words.length(), ERROR_BYTES));
    }

    private Output execute(String action, Map<String, String> environment, byte[] input) {
        try (Fd in = input(input); Fd.Pipe out = Fd.pipe(); Fd.Pipe err = Fd.pipe();
                ChildProcess child = Spawn.of(List.of(binary.toString()), environment).newSession()
                        .descriptor(0, in).descriptor(1, out.write()).descriptor(2, err.write()).start()) {
            out.write().close();
            err.write().close();
            return collect(action, child, out.read(), err.read());
        } catch (IOException e) {
            throw CniFault.failed(Kind.INTERNAL, type, action, RuntimeFault.reason(e), e);
        }
    }

    // A plugin that does not read its input must not block us: all of it is written before the plugin starts.
    private static Fd input(byte[] bytes) throws IOException {
        if (bytes.length <= PIPE_BYTES) {
            Fd.Pipe pipe = Fd.pipe();
            try (Fd write = pipe.write()) {
                write.write(bytes, 0, bytes.length);
            }
            return pipe.read();
        }
        Path file = Files.createTempFile("cni-", ".json");
        try {
            Files.write(file, bytes);
            return Fd.openReadOnly(file);
        } finally {
            Files.delete(file);
        }
    }

    private Output collect(String action, ChildProcess child, Fd out, Fd err) {
        long deadline = System.nanoTime() + limit.toNanos();
        Drain answer = new Drain(out, OUTPUT_BYTES);
        Drain errors = new Drain(err, ERROR_BYTES);
        OptionalInt exit = OptionalInt.empty();
        while (answer.open && exit.isEmpty()) {
            if (System.nanoTime() > deadline) {
                String printed = errors.text().isEmpty() ? "" : "; it had printed: " + errors.text();
                throw CniFault.failed(Kind.DEADLINE_EXCEEDED, type, action,
                        "it took longer than " + limit.toMillis() + " ms and was killed" + printed, null);
            }
            answer.take(GLANCE_MILLIS);
            errors.take(0);
            // A process that the plugin left behind may keep the pipe open: the plugin's own end counts.
            exit = answer.open ? child.await(Duration.ZERO) : exit;
        }
        long left = Math.max(0, deadline - System.nanoTime());
        exit = exit.isPresent() ? exit : child.await(Duration.ofNanos(left));
        answer.take(0);
        errors.take(0);
        if (exit.isEmpty() || answer.dropped) {
            throw CniFault.failed(exit.isEmpty() ? Kind.DEADLINE_EXCEEDED : Kind.INTERNAL, type, action, exit.isEmpty()
                    ? "it did not end within " + limit.toMillis() + " ms and was killed"
                    : "its answer is longer than " + OUTPUT_BYTES + " bytes", null);
        }
        return new Output(exit.getAsInt(), answer.kept.toByteArray(), errors.text());
    }

    /** Takes what a pipe holds, up to a limit. */
    private static final class Drain {
        private final Fd source;
        private final int limit;
        private final ByteArrayOutputStream kept = new ByteArrayOutputStream(512);
        private final byte[] buffer = new byte[8192];
        private boolean open = true;
        private boolean dropped;

        Drain(Fd source, int limit) {
            this.source = source;
            this.limit = limit;
        }

        void take(long waitMillis) {
            long wait = waitMillis;
            while (open && source.awaitReadable(wait)) {
                int count = source.read(buffer, 0, buffer.length);
                open = count >= 0;
                int fits = Math.min(Math.max(0, count), limit - kept.size());
                kept.write(buffer, 0, fits);
                dropped |= fits < count;
                wait = 0;
            }
        }

        String text() {
            return kept.toString(StandardCharsets.UTF_8).strip();
        }
    }
}
