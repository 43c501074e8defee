package io.berth.cli.output;

import com.google.protobuf.Message;
import java.io.PrintWriter;
import java.time.Duration;
import java.util.function.Supplier;
import tools.jackson.databind.JsonNode;

/**
 * What a command shows, in each of its forms.
 *
 * @param tree for JSON and YAML
 * @param table for people
 */
public record Listing(Supplier<JsonNode> tree, Supplier<Table> table) {

    /** An answer of the daemon and its table. */
    public static Listing of(Message message, Supplier<Table> table) {
        return new Listing(() -> Structured.tree(message), table);
    }

    /** As text, without a line feed at its end. */
    public String text(Format format) {
        return switch (format) {
            case TABLE, WIDE -> String.join("\n", table.get().lines());
            case JSON, YAML -> Structured.text(tree.get(), format);
        };
    }

    /** Prints it once. */
    public void print(PrintWriter out, Format format) {
        out.println(text(format));
        out.flush();
    }

    /**
     * Prints whenever it has changed, until the thread is interrupted or the process ends: on a terminal over the last one.
     *
     * @param look makes a fresh one
     */
    public static void watch(PrintWriter out, Format format, Duration period, Supplier<Listing> look)
            throws InterruptedException {
        String last = "";
        while (!out.checkError()) {
            String text = look.get().text(format);
            if (!text.equals(last)) {
                out.println((Screen.isTerminal(1) ? Screen.CLEAR : last.isEmpty() ? "" : "\n") + text);
                out.flush();
                last = text;
            }
            Thread.sleep(period);
        }
    }
}
