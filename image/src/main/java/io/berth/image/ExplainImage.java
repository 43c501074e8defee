package io.berth.image;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Says what a pull would do, without doing it: which endpoints it asks in which order and why, with whose credentials.
 * Credential helpers are run; no registry is asked. Stateless, thread-safe.
 */
public final class ExplainImage {

    private final PullOptions options;
    private final ShortNames names;
    private final Optional<TrustPolicy> policy;

    public ExplainImage(PullOptions options) {
        this.options = options;
        this.names = new ShortNames(options);
        this.policy = options.files().policy().map(TrustPolicy::new);
    }

    /** A name that is tried, with the endpoints that are asked for it. */
    public record Explanation(String reference, String trust, List<Asked> endpoints) {}

    /**
     * One endpoint.
     *
     * @param uses what it is asked for: {@code resolve}, {@code pull} or both
     * @param credentials where its credentials come from; empty when it gets none
     * @param connection how it is reached, in words
     * @param reason which file names it
     */
    public record Asked(String address, String uses, Optional<String> credentials, String connection, String reason) {}

    /** @param credentials as they would come with the request */
    public List<Explanation> explain(String name, Optional<RegistryCredentials> credentials) {
        FindEndpoints endpoints = new FindEndpoints(options.files());
        FindCredentials found = new FindCredentials(credentials, options.files().credentials());
        List<Explanation> all = new ArrayList<>();
        for (ImageReference reference : names.meanings(name)) {
            List<Asked> asked = endpoints.of(reference).stream().map(endpoint -> asked(reference, endpoint, found)).toList();
            all.add(new Explanation(reference.toString(), policy.map(p -> p.describe(reference)).orElse("no policy"), asked));
        }
        return all;
    }

    private static Asked asked(ImageReference reference, Endpoint endpoint, FindCredentials found) {
        String repository = endpoint.repository().orElse(reference.repository());
        String uses = endpoint.resolves() && endpoint.pulls() ? "resolve, pull" : endpoint.resolves() ? "resolve" : "pull";
        return new Asked(endpoint.base() + "/" + repository, uses,
                found.of(reference, endpoint).map(FoundCredentials::source), connection(endpoint), endpoint.origin());
    }

    private static String connection(Endpoint endpoint) {
        if (endpoint.base().getScheme().equals("http")) {
            return "plain HTTP";
        }
        Endpoint.Tls tls = endpoint.tls();
        return (tls.skipVerify() ? "TLS, certificate not checked" : tls.authorities().isEmpty() ? "TLS"
                : "TLS, trusts " + tls.authorities()) + (tls.clients().isEmpty() ? "" : ", with a client certificate");
    }
}
