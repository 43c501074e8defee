package io.berth.image;

import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A place where the images of a registry are served: the registry itself or a mirror.
 *
 * @param base the API's address with the {@code /v2} at its end
 * @param repository what the image's repository is called there; empty where it is called as in the image's name
 * @param resolves whether it may say what a tag means
 * @param pulls whether it may serve content by digest
 * @param headers sent with each request to this host and no other
 * @param mirror another party than the registry, which gets no credentials of it
 * @param origin why it is asked, in words: the file that names it
 */
public record Endpoint(URI base, Optional<String> repository, boolean resolves, boolean pulls, Tls tls,
        Map<String, List<String>> headers, Optional<Duration> connectLimit, boolean mirror, String origin) {

    /**
     * How its certificate is checked and who we say that we are.
     *
     * @param authorities PEM files, trusted beside those of the JDK
     * @param clients PEM files of certificate and key
     */
    public record Tls(List<Path> authorities, List<ClientPair> clients, boolean skipVerify) {
        public static final Tls DEFAULT = new Tls(List.of(), List.of(), false);

        Tls unverified() {
            return new Tls(authorities, clients, true);
        }
    }

    /** PEM files; both in one when {@code key} is the same file. */
    public record ClientPair(Path certificate, Path key) {}

    /** Host with its port as in an image's name. */
    public String host() {
        return base.getRawAuthority();
    }

    @Override
    public String toString() {
        return base.getScheme() + "://" + host();
    }
}
