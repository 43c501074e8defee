package io.berth.extension;

/**
 * What a policy says of an image.
 *
 * @param reason why it is refused, for who pulls it; empty when it is accepted
 */
public record Verdict(boolean accepted, String reason) {

    public static Verdict accept() {
        return new Verdict(true, "");
    }

    public static Verdict refuse(String reason) {
        return new Verdict(false, reason);
    }
}
