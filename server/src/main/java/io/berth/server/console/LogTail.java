package io.berth.server.console;

import io.berth.base.RuntimeFault;
import io.berth.pod.Node;
import io.berth.pod.record.Container;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Optional;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * The end of a container's log, as the page shows it. Nothing but the regular file is read that the container's record names:
 * a link in its place may have been laid by a pod that has the node's log directory. Thread-safe. Source: the log format of the
 * Container Runtime Interface.
 */
record LogTail(Node node) {

    private static final int MOST_BYTES = 64 * 1024;
    private static final int MOST_LINES = 300;

    /** Empty when there is no container with exactly this id. */
    Optional<ObjectNode> of(String id) {
        return node.inventory().findContainer(id).filter(container -> container.id().equals(id)).map(LogTail::tail);
    }

    private static ObjectNode tail(Container container) {
        ObjectNode answer = JsonMapper.shared().createObjectNode();
        ArrayNode lines = answer.putArray("lines");
        if (container.logPath().isEmpty()) {
            return answer.put("problem", "no log is kept of this container").put("cut", false);
        }
        try {
            answer.put("cut", read(container.logPath().get(), lines));
        } catch (NoSuchFileException none) {
            answer.put("problem", "the log is no longer, or not yet, on the node").put("cut", false);
        } catch (IOException e) {
            answer.put("problem", "it cannot be read: " + RuntimeFault.reason(e)).put("cut", false);
        }
        return answer;
    }

    // Whether something comes before what is shown.
    private static boolean read(Path path, ArrayNode lines) throws IOException {
        if (!Files.isRegularFile(path, LinkOption.NOFOLLOW_LINKS)) {
            throw new NoSuchFileException(path.toString());
        }
        try (FileChannel file = FileChannel.open(path, StandardOpenOption.READ, LinkOption.NOFOLLOW_LINKS)) {
            long from = Math.max(0, file.size() - MOST_BYTES);
            ByteBuffer end = ByteBuffer.allocate(MOST_BYTES);
            while (end.hasRemaining() && file.read(end, from + end.position()) > 0) {
                continue;
            }
            List<String> all = new String(end.array(), 0, end.position(), StandardCharsets.UTF_8).lines().toList();
            // The first one is a part where the file begins before it.
            int first = Math.max(from > 0 ? 1 : 0, all.size() - MOST_LINES);
            all.subList(Math.min(first, all.size()), all.size()).forEach(line -> line(lines, line));
            return from > 0 || first > 0;
        }
    }

    private static void line(ArrayNode lines, String line) {
        String[] parts = line.split(" ", 4);
        if (parts.length == 4) {
            lines.addObject().put("at", parts[0]).put("err", parts[1].equals("stderr")).put("text", parts[3]);
        }
    }
}
