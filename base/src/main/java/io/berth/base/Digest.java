package io.berth.base;

import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.regex.Pattern;

/**
 * A content digest such as {@code sha256:…}, as the OCI image specification (descriptor.md, "Digests") defines it.
 *
 * @param algorithm {@code sha256} or {@code sha512}
 * @param hex the lower-case hexadecimal value
 */
public record Digest(String algorithm, String hex) implements Comparable<Digest> {

    private static final Pattern SHA256 = Pattern.compile("[a-f0-9]{64}");
    private static final Pattern SHA512 = Pattern.compile("[a-f0-9]{128}");

    public Digest {
        Pattern expected = switch (algorithm) {
            case "sha256" -> SHA256;
            case "sha512" -> SHA512;
            default -> throw RuntimeFault.invalid(
                    "parse digest: algorithm \"" + algorithm + "\" is not supported: use sha256 or sha512");
        };
        if (!expected.matcher(hex).matches()) {
            throw RuntimeFault.invalid("parse digest: \"" + algorithm + ":" + hex + "\" is not a "
                    + algorithm + " value in lower-case hexadecimal");
        }
    }

    /** Parses {@code algorithm:hex}. */
    public static Digest parse(String text) {
        int colon = text.indexOf(':');
        if (colon <= 0) {
            throw RuntimeFault.invalid("parse digest: \"" + text + "\" is not of the form algorithm:hex");
        }
        return new Digest(text.substring(0, colon), text.substring(colon + 1));
    }

    /** Whether {@code text} is a digest that {@link #parse} accepts. */
    public static boolean isDigest(String text) {
        int colon = text.indexOf(':');
        if (colon <= 0) {
            return false;
        }
        String hex = text.substring(colon + 1);
        return switch (text.substring(0, colon)) {
            case "sha256" -> SHA256.matcher(hex).matches();
            case "sha512" -> SHA512.matcher(hex).matches();
            default -> false;
        };
    }

    /** The SHA-256 of {@code bytes}. */
    public static Digest ofBytes(byte[] bytes) {
        return ofHash("sha256", newHash("sha256").digest(bytes));
    }

    /** The digest whose raw value is {@code value}. */
    public static Digest ofHash(String algorithm, byte[] value) {
        return new Digest(algorithm, HexFormat.of().formatHex(value));
    }

    /** A fresh hash of {@code algorithm}; the caller owns it. */
    public static MessageDigest newHash(String algorithm) {
        try {
            return MessageDigest.getInstance(algorithm.equals("sha512") ? "SHA-512" : "SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("the JDK lacks " + algorithm, e);
        }
    }

    /** The first twelve hexadecimal digits, for people. */
    public String abbreviated() {
        return hex.substring(0, 12);
    }

    @Override
    public int compareTo(Digest other) {
        return toString().compareTo(other.toString());
    }

    @Override
    public String toString() {
        return algorithm + ":" + hex;
    }
}
