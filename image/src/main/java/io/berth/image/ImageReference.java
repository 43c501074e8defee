package io.berth.image;

import io.berth.base.Digest;
import io.berth.base.RuntimeFault;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * The full name of an image: registry, repository, and a tag or digest. Where both are given the digest decides and the
 * tag is kept for people. Immutable.
 *
 * <p>Source: the grammar of distribution's {@code reference} package and its normalisation of familiar names
 * ({@code busybox} is {@code docker.io/library/busybox:latest}), as docker and containerd apply them.
 *
 * @param registry host, with its port where one is given
 * @param repository the path in the registry, lower case
 * @param tag empty only when there is a digest
 */
public record ImageReference(String registry, String repository, Optional<String> tag, Optional<Digest> digest) {

    /** The registry of a name that gives none. */
    public static final String DEFAULT_REGISTRY = "docker.io";

    private static final String LABEL = "(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]{0,61}[a-zA-Z0-9])";
    private static final Pattern HOST = Pattern.compile(
            "(?:" + LABEL + "(?:\\." + LABEL + ")*|\\[[a-fA-F0-9:]{2,45}\\])(?::[0-9]{1,5})?");
    private static final Pattern COMPONENT = Pattern.compile("[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*");
    private static final Pattern TAG = Pattern.compile("[\\w][\\w.-]{0,127}");
    private static final Pattern HEX_ID = Pattern.compile("[a-f0-9]{64}");
    private static final int NAME_LIMIT = 255;
    private static final int TEXT_LIMIT = 512;

    public ImageReference {
        if (!HOST.matcher(registry).matches()) {
            throw bad(registry + "/" + repository, "\"" + shown(registry) + "\" is not a registry host");
        }
        if (repository.isEmpty() || registry.length() + 1 + repository.length() > NAME_LIMIT) {
            throw bad(repository, "the name is empty or longer than " + NAME_LIMIT + " characters");
        }
        for (String component : repository.split("/", -1)) {
            if (!COMPONENT.matcher(component).matches()) {
                throw bad(repository, "\"" + shown(component) + "\" is not a repository name: use lower-case letters, "
                        + "digits and single separators . _ __ -");
            }
        }
        if (tag.isPresent() && !TAG.matcher(tag.get()).matches()) {
            throw bad(repository, "\"" + shown(tag.get()) + "\" is not a tag");
        }
        if (tag.isEmpty() && digest.isEmpty()) {
            throw bad(repository, "neither a tag nor a digest");
        }
    }

    /** Parses and completes a name as users write it; anything else is refused as an invalid argument. */
    public static ImageReference parse(String text) {
        if (text.isEmpty() || text.length() > TEXT_LIMIT) {
            throw bad(text, "the reference is empty or longer than " + TEXT_LIMIT + " characters");
        }
        if (HEX_ID.matcher(text).matches()) {
            throw bad(text, "64 hexadecimal digits are an image id, not a name");
        }
        String rest = text;
        Optional<Digest> digest = Optional.empty();
        int at = rest.indexOf('@');
        if (at >= 0) {
            digest = Optional.of(parseDigest(text, rest.substring(at + 1)));
            rest = rest.substring(0, at);
        }
        Optional<String> tag = Optional.empty();
        int colon = rest.lastIndexOf(':');
        if (colon > rest.lastIndexOf('/')) {
            tag = Optional.of(rest.substring(colon + 1));
            rest = rest.substring(0, colon);
        }
        int slash = rest.indexOf('/');
        String registry = DEFAULT_REGISTRY;
        if (slash > 0 && isHost(rest.substring(0, slash))) {
            registry = rest.substring(0, slash);
            rest = rest.substring(slash + 1);
        }
        if (registry.equals("index.docker.io")) {
            registry = DEFAULT_REGISTRY;
        }
        if (registry.equals(DEFAULT_REGISTRY) && !rest.isEmpty() && rest.indexOf('/') < 0) {
            rest = "library/" + rest;
        }
        if (tag.isEmpty() && digest.isEmpty()) {
            tag = Optional.of("latest");
        }
        return new ImageReference(registry, rest, tag, digest);
    }

    private static Digest parseDigest(String text, String digest) {
        if (!Digest.isDigest(digest)) {
            throw bad(text, "\"" + shown(digest) + "\" is not a digest of the form sha256:hex");
        }
        return Digest.parse(digest);
    }

    // As docker: what stands before the first slash is a host when it cannot be a repository's first component.
    static boolean isHost(String first) {
        return first.indexOf('.') >= 0 || first.indexOf(':') >= 0 || first.equals("localhost")
                || !first.equals(first.toLowerCase(java.util.Locale.ROOT));
    }

    /** {@code registry/repository}. */
    public String name() {
        return registry + "/" + repository;
    }

    /** {@code registry/repository:tag}; empty for a reference by digest, whose tag nobody has verified. */
    public Optional<String> repoTag() {
        return digest.isPresent() ? Optional.empty() : tag.map(t -> name() + ":" + t);
    }

    /** {@code registry/repository@digest}. */
    public String repoDigest(Digest of) {
        return name() + "@" + of;
    }

    /** What the registry is asked for: the digest, else the tag. */
    public String wanted() {
        return digest.map(Digest::toString).or(() -> tag).orElseThrow();
    }

    /** The full name in canonical form, which {@link #parse} reads back. */
    @Override
    public String toString() {
        return name() + tag.map(t -> ":" + t).orElse("") + digest.map(d -> "@" + d).orElse("");
    }

    private static String shown(String text) {
        String printable = text.replaceAll("[^\\x20-\\x7e]", "?");
        return printable.length() > 100 ? printable.substring(0, 100) + "…" : printable;
    }

    private static RuntimeFault bad(String text, String reason) {
        return RuntimeFault.invalid("parse image reference \"" + shown(text) + "\": " + reason);
    }
}
