package io.berth.streaming;

import io.berth.base.RuntimeFault;
import java.util.List;

/**
 * How a process or its streams ended, as the error stream tells it.
 *
 * <p>Version 4 and later send a Kubernetes Status object as JSON (k8s.io/apimachinery, meta/v1); earlier versions send
 * the message as text, and nothing for success.
 */
sealed interface StatusMessage {

    record Success() implements StatusMessage {}

    record Exit(int code, List<String> command) implements StatusMessage {}

    record Failure(String message) implements StatusMessage {}

    /** Messages and commands are as long as somebody makes them; a client needs no more to understand. */
    int TEXT_LIMIT = 1024;

    static StatusMessage failed(String action, Throwable cause) {
        return new Failure(action + ": " + RuntimeFault.reason(cause));
    }

    default String json() {
        return switch (this) {
            case Success() -> "{\"metadata\":{},\"status\":\"Success\"}";
            case Exit exit ->
                "{\"metadata\":{},\"status\":\"Failure\",\"message\":" + quoted(exit.text())
                        + ",\"reason\":\"NonZeroExitCode\",\"details\":{\"causes\":[{\"reason\":\"ExitCode\","
                        + "\"message\":\"" + exit.code + "\"}]}}";
            case Failure failure ->
                "{\"metadata\":{},\"status\":\"Failure\",\"message\":" + quoted(failure.text())
                        + ",\"reason\":\"InternalError\",\"details\":{\"causes\":[{\"message\":"
                        + quoted(clipped(failure.message)) + "}]},\"code\":500}";
        };
    }

    /** Empty for success. */
    default String text() {
        return switch (this) {
            case Success() -> "";
            case Exit exit ->
                "command terminated with non-zero exit code: error executing command ["
                        + clipped(String.join(" ", exit.command)) + "], exit code " + exit.code;
            case Failure failure -> "Internal error occurred: " + clipped(failure.message);
        };
    }

    private static String clipped(String text) {
        return text.length() <= TEXT_LIMIT ? text : text.substring(0, TEXT_LIMIT) + "...";
    }

    private static String quoted(String text) {
        StringBuilder json = new StringBuilder(text.length() + 2).append('"');
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            switch (c) {
                case '"' -> json.append("\\\"");
                case '\\' -> json.append("\\\\");
                case '\n' -> json.append("\\n");
                default -> {
                    // Lone surrogates would become question marks; everything else is left to UTF-8.
                    if (c < 0x20 || c == 0x7f || Character.isSurrogate(c)) {
                        json.append(String.format("\\u%04x", (int) c));
                    } else {
                        json.append(c);
                    }
                }
            }
        }
        return json.append('"').toString();
    }
}
