package io.berth.server.rpc;

import java.nio.charset.StandardCharsets;

/**
 * The words of a failure as a gRPC status can carry them. They travel in a header, percent-encoded, and a client ends the
 * whole connection, with all other calls on it, when its headers exceed 8 KiB: what a broken plugin or runtime printed must
 * not get there unbounded.
 */
final class StatusWords {

    private static final int ENCODED_BYTES = 5000;

    private StatusWords() {}

    /** {@code message} with its unprintable characters replaced, cut where it would be too long. */
    static String of(String message) {
        StringBuilder words = new StringBuilder();
        int encoded = 0;
        for (int at = 0; at < message.length(); at += Character.charCount(message.codePointAt(at))) {
            int point = message.codePointAt(at);
            String shown = isPrintable(point) ? Character.toString(point) : "?";
            encoded += point >= ' ' && point < 0x7f && point != '%' ? 1 : 3 * shown.getBytes(StandardCharsets.UTF_8).length;
            if (encoded > ENCODED_BYTES) {
                return words.append(" … (cut)").toString();
            }
            words.append(shown);
        }
        return words.toString();
    }

    private static boolean isPrintable(int point) {
        return point == '\n' || point == '\t'
                || !Character.isISOControl(point) && Character.isDefined(point) && point != 0xfffd
                        && Character.getType(point) != Character.SURROGATE;
    }
}
