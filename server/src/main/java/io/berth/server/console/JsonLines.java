package io.berth.server.console;

import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import tools.jackson.databind.node.ObjectNode;

/** One JSON object a line, sent at once. Used by one thread; does not close the stream. */
record JsonLines(OutputStream out) {

    /** @throws UncheckedIOException when the reader has gone */
    void send(ObjectNode message) {
        try {
            out.write((message + "\n").getBytes(StandardCharsets.UTF_8));
            out.flush();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
