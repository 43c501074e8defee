package io.berth.linux;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/** Names of files as the file system has them: bytes, which the JDK's text of a path may have lost. */
public final class RawName {

    private RawName() {}

    /** The bytes of the last part of a path that the JDK has read from a directory. */
    public static byte[] of(Path name) {
        String text = name.getFileName().toString();
        if (text.chars().allMatch(c -> c > 0 && c < 128)) {
            return Inodes.name(text);
        }
        String raw = name.toAbsolutePath().toUri().getRawPath().replaceAll("/$", "");
        return decoded(raw.substring(raw.lastIndexOf('/') + 1));
    }

    private static byte[] decoded(String raw) {
        byte[] in = raw.getBytes(StandardCharsets.US_ASCII);
        byte[] out = new byte[in.length];
        int length = 0;
        for (int i = 0; i < in.length; i++) {
            if (in[i] == '%') {
                out[length++] = (byte) Integer.parseInt(raw.substring(i + 1, i + 3), 16);
                i += 2;
            } else {
                out[length++] = in[i];
            }
        }
        return java.util.Arrays.copyOf(out, length);
    }
}
