package io.berth.base;

import java.security.SecureRandom;
import java.util.HexFormat;
import java.util.regex.Pattern;

/** Ids of sandboxes and containers: 64 hexadecimal digits, as containerd and CRI-O use. */
public final class RandomId {

    private static final SecureRandom RANDOM = new SecureRandom();
    private static final Pattern FORM = Pattern.compile("[a-f0-9]{64}");

    private RandomId() {}

    /** A fresh id of 64 hexadecimal digits. */
    public static String next() {
        return hex(32);
    }

    /** {@code bytes} random bytes in hexadecimal. */
    public static String hex(int bytes) {
        byte[] value = new byte[bytes];
        RANDOM.nextBytes(value);
        return HexFormat.of().formatHex(value);
    }

    /** Whether {@code text} has the form of an id (and so is safe as a file name). */
    public static boolean isId(String text) {
        return FORM.matcher(text).matches();
    }

    /** The first twelve digits, for people; shorter text as it is. */
    public static String abbreviated(String id) {
        return id.length() <= 12 ? id : id.substring(0, 12);
    }
}
