package io.berth.image;

import io.berth.base.RuntimeFault.Kind;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.List;
import java.util.Optional;

/**
 * Answers an endpoint's challenges: a token from the realm that it names, or the password itself. Thread-safe; threads
 * that are challenged at the same time fetch one token. Source: distribution-spec's token authentication
 * ({@code spec/auth/token}, {@code spec/auth/oauth}).
 */
final class RegistryLogin {

    private static final int TOKEN_LIMIT = 1 << 20;

    private final RegistrySession session;
    private final Endpoint endpoint;
    private final String repository;
    private final Optional<RegistryCredentials> credentials;
    private volatile Optional<String> authorization;

    RegistryLogin(RegistrySession session, Endpoint endpoint, String repository,
            Optional<RegistryCredentials> credentials) {
        this.session = session;
        this.endpoint = endpoint;
        this.repository = repository;
        this.credentials = credentials.map(RegistryCredentials::decoded);
        this.authorization = this.credentials.map(RegistryCredentials::registryToken)
                .filter(token -> !token.isEmpty()).map(token -> "Bearer " + token);
    }

    /** What to send with requests to the endpoint's own host, as far as it is known. */
    Optional<String> authorization() {
        return authorization;
    }

    /**
     * Gets what the challenges ask for.
     *
     * @param used what was sent with the request that was challenged
     * @return false when there is nothing new to try
     */
    synchronized boolean answer(List<String> headers, Optional<String> used) {
        if (!authorization.equals(used)) {
            // Another thread was challenged as well and has got it meanwhile.
            return true;
        }
        List<AuthChallenge> challenges = AuthChallenge.parse(headers);
        for (AuthChallenge challenge : challenges) {
            if (challenge.scheme().equals("bearer") && !challenge.parameter("realm").isEmpty()) {
                authorization = Optional.of("Bearer " + token(challenge));
                return true;
            }
        }
        boolean basic = challenges.stream().anyMatch(challenge -> challenge.scheme().equals("basic"));
        if (basic && credentials.filter(RegistryCredentials::hasPassword).isPresent()) {
            authorization = Optional.of(basic(credentials.get()));
        }
        return !authorization.equals(used);
    }

    private String token(AuthChallenge challenge) {
        URI realm = realm(challenge);
        String scope = challenge.parameter("scope").isEmpty() ? "repository:" + repository + ":pull"
                : challenge.parameter("scope");
        String service = challenge.parameter("service");
        HttpRequest.Builder request;
        if (credentials.filter(c -> !c.identityToken().isEmpty()).isPresent()) {
            String form = "grant_type=refresh_token&client_id=berth&service=" + encoded(service) + "&scope="
                    + encoded(scope) + "&refresh_token=" + encoded(credentials.get().identityToken());
            request = HttpRequest.newBuilder(realm).header("Content-Type", "application/x-www-form-urlencoded")
                    .POST(HttpRequest.BodyPublishers.ofString(form));
        } else {
            String query = (realm.getRawQuery() == null ? "?" : "&") + (service.isEmpty() ? "" : "service="
                    + encoded(service) + "&") + "scope=" + encoded(scope);
            request = HttpRequest.newBuilder(URI.create(realm + query)).GET();
            credentials.filter(RegistryCredentials::hasPassword).ifPresent(c -> request.header("Authorization", basic(c)));
        }
        boolean home = realm.getRawAuthority().equalsIgnoreCase(endpoint.host());
        String what = "token for " + repository;
        HttpResponse<InputStream> response = session.send(request, home ? endpoint.tls() : Endpoint.Tls.DEFAULT, what);
        if (response.statusCode() != 200) {
            throw RegistryAnswer.refusal("log in to " + endpoint + " for " + repository, realm.getRawAuthority(), response);
        }
        try (InputStream body = new WatchedBody(response.body(), session.options().connectionStallLimit())) {
            var document = BoundedJson.parse("token", body.readNBytes(TOKEN_LIMIT), TOKEN_LIMIT);
            String token = document.string(document.root(), "token");
            token = token.isEmpty() ? document.string(document.root(), "access_token") : token;
            if (token.isEmpty() || !token.matches("[\\x21-\\x7e]+")) {
                throw document.bad(realm.getRawAuthority() + " gave none");
            }
            return token;
        } catch (IOException e) {
            throw RegistryFault.passing(Kind.UNAVAILABLE, "log in to " + endpoint + ": connection to "
                    + realm.getRawAuthority() + " broke", e, Optional.empty());
        }
    }

    // A registry that is reached by HTTPS must not have the password sent in the clear.
    private URI realm(AuthChallenge challenge) {
        try {
            URI realm = URI.create(challenge.parameter("realm"));
            boolean plain = "http".equals(realm.getScheme()) && "http".equals(endpoint.base().getScheme());
            if (realm.getHost() != null && realm.getRawUserInfo() == null && realm.getRawFragment() == null
                    && ("https".equals(realm.getScheme()) || plain)) {
                return realm;
            }
        } catch (IllegalArgumentException e) {
            // Reported below with the others.
        }
        throw RegistryFault.lasting(Kind.UNAUTHENTICATED, "log in to " + endpoint
                + ": the registry names a token server that is not safe to ask", null);
    }

    private static String basic(RegistryCredentials credentials) {
        String pair = credentials.username() + ":" + credentials.password();
        return "Basic " + Base64.getEncoder().encodeToString(pair.getBytes(StandardCharsets.UTF_8));
    }

    private static String encoded(String text) {
        return URLEncoder.encode(text, StandardCharsets.UTF_8);
    }
}
