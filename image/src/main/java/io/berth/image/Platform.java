package io.berth.image;

import java.util.Optional;

/**
 * An operating system and processor. Source: OCI image-spec, image-index.md, "platform"; GOOS and GOARCH names.
 *
 * @param variant of the processor, such as {@code v8}; may be empty
 */
public record Platform(String os, String architecture, String variant) {

    public Platform {
        architecture = switch (architecture) {
            case "x86_64", "x86-64" -> "amd64";
            case "aarch64" -> "arm64";
            default -> architecture;
        };
        // arm64 has one variant, which is left out or written as v8.
        variant = architecture.equals("arm64") && variant.equals("v8") ? "" : variant;
    }

    /** The platform that this process runs on. */
    public static Platform host() {
        return new Platform("linux", System.getProperty("os.arch"), "");
    }

    /** Parses {@code os/architecture[/variant]}. */
    public static Optional<Platform> parse(String text) {
        String[] parts = text.split("/", -1);
        return parts.length < 2 || parts.length > 3 || parts[0].isEmpty() || parts[1].isEmpty() ? Optional.empty()
                : Optional.of(new Platform(parts[0], parts[1], parts.length == 3 ? parts[2] : ""));
    }

    /**
     * How well {@code offered} runs here: 0 not at all, higher is better. A plain processor is preferred over a variant
     * that may need more than there is (amd64/v3); arm offers run on the same or a later variant.
     */
    int suits(Platform offered) {
        if (!os.equals(offered.os) || !architecture.equals(offered.architecture)) {
            return 0;
        }
        if (variant.equals(offered.variant)) {
            return 100;
        }
        if (offered.variant.isEmpty()) {
            return 90;
        }
        int mine = level(variant);
        int theirs = level(offered.variant);
        return mine > 0 && theirs > 0 && theirs <= mine ? 10 + theirs : 0;
    }

    private static int level(String variant) {
        return variant.matches("v[0-9]") ? variant.charAt(1) - '0' : 0;
    }

    @Override
    public String toString() {
        return os + "/" + architecture + (variant.isEmpty() ? "" : "/" + variant);
    }
}
