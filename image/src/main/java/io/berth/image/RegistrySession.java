package io.berth.image;

import io.berth.base.RuntimeFault.Kind;
import java.io.IOException;
import java.io.InputStream;
import java.net.ConnectException;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpConnectTimeoutException;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpTimeoutException;
import java.nio.channels.UnresolvedAddressException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import javax.net.ssl.SSLException;

/**
 * Requests of one pull to one endpoint: logs in when asked to, follows redirects by hand so that credentials and
 * configured headers never reach another host, and turns failures into {@link RegistryFault}s. Makes each request once;
 * {@link Retry} repeats. Thread-safe. Source: OCI distribution-spec, "Pull".
 */
final class RegistrySession {

    private static final int REDIRECT_LIMIT = 10;
    private static final int LOGIN_LIMIT = 2;
    /** From this size on a body has a connection of its own: docs/adr/0008. */
    private static final long LARGE_BYTES = 1 << 20;

    private final Endpoint endpoint;
    private final ImageReference reference;
    private final String repository;
    private final PullOptions options;
    private final HttpClients clients;
    private final Optional<FoundCredentials> credentials;
    private final RegistryLogin login;
    private volatile boolean unreachable;

    RegistrySession(Endpoint endpoint, ImageReference reference, Optional<FoundCredentials> credentials,
            PullOptions options, HttpClients clients) {
        this.endpoint = endpoint;
        this.reference = reference;
        this.repository = endpoint.repository().orElse(reference.repository());
        this.options = options;
        this.clients = clients;
        this.credentials = credentials;
        this.login = new RegistryLogin(this, endpoint, repository, credentials.map(FoundCredentials::credentials));
    }

    /** An answer whose status is good; the caller closes it. */
    record Answer(int status, HttpResponse<InputStream> response, InputStream body) implements AutoCloseable {
        String header(String name) {
            return response.headers().firstValue(name).orElse("");
        }

        byte[] read(int limit) throws IOException {
            byte[] bytes = body.readNBytes(limit + 1);
            if (bytes.length > limit) {
                throw RegistryFault.lasting(Kind.DATA_LOSS, "read " + response.uri().getPath()
                        + ": larger than the limit of " + limit + " bytes", null);
            }
            return bytes;
        }

        @Override
        public void close() throws IOException {
            body.close();
        }
    }

    Endpoint endpoint() {
        return endpoint;
    }

    /** Whether no connection could be made in this pull; others are asked first then. */
    boolean isUnreachable() {
        return unreachable;
    }

    /** Asks for a manifest by tag or digest. */
    Answer manifest(String wanted) {
        return get("/manifests/" + wanted, MediaTypes.ACCEPT, Optional.empty(), HttpClient.Version.HTTP_2,
                "image " + reference);
    }

    /** Asks for a blob, from {@code offset} on; the server may answer with all of it. */
    Answer blob(Descriptor blob, long offset) {
        return get("/blobs/" + blob.digest(), "*/*", offset > 0 ? Optional.of("bytes=" + offset + "-") : Optional.empty(),
                version(blob.sizeBytes()), "layer " + blob.digest() + " of image " + reference);
    }

    /** Asks for the bytes of a blob before {@code end}; the server may answer with all of it. */
    Answer piece(Descriptor blob, long offset, long end) {
        return get("/blobs/" + blob.digest(), "*/*", Optional.of("bytes=" + offset + "-" + (end - 1)),
                version(blob.sizeBytes()), "layer " + blob.digest() + " of image " + reference);
    }

    private static HttpClient.Version version(long bytes) {
        return bytes < LARGE_BYTES ? HttpClient.Version.HTTP_2 : HttpClient.Version.HTTP_1_1;
    }

    private Answer get(String path, String accept, Optional<String> range, HttpClient.Version version, String what) {
        boolean named = endpoint.mirror() && endpoint.repository().isEmpty();
        String query = named ? "?ns=" + URLEncoder.encode(reference.registry(), StandardCharsets.UTF_8) : "";
        URI first = URI.create(endpoint.base() + "/" + repository + path + query);
        for (int logins = 0;; logins++) {
            Optional<String> used = login.authorization();
            HttpResponse<InputStream> response = followed(first, accept, range, version, what, used);
            if (response.statusCode() == 401 && logins < LOGIN_LIMIT && sameHost(response.uri(), first)) {
                if (login.answer(response.headers().allValues("WWW-Authenticate"), used)) {
                    discard(response);
                    continue;
                }
                throw RegistryAnswer.loginRefused("pull " + what, endpoint.toString(), credentials, response);
            }
            int status = response.statusCode();
            if (status == 200 || status == 206) {
                return new Answer(status, response, new WatchedBody(response.body(), options.connectionStallLimit()));
            }
            if (status == 401) {
                throw RegistryAnswer.loginRefused("pull " + what, endpoint.toString(), credentials, response);
            }
            throw RegistryAnswer.refusal("pull " + what, endpoint.toString(), response);
        }
    }

    private HttpResponse<InputStream> followed(URI first, String accept, Optional<String> range,
            HttpClient.Version version, String what, Optional<String> authorization) {
        URI at = first;
        for (int i = 0; i < REDIRECT_LIMIT; i++) {
            boolean home = sameHost(at, first);
            HttpRequest.Builder request = HttpRequest.newBuilder(at).GET().version(version)
                    .header("Accept", accept);
            range.ifPresent(bytes -> request.header("Range", bytes));
            if (home) {
                endpoint.headers().forEach((name, values) -> values.forEach(value -> request.header(name, value)));
                authorization.ifPresent(value -> request.setHeader("Authorization", value));
            }
            HttpResponse<InputStream> response = send(request, home ? endpoint.tls() : Endpoint.Tls.DEFAULT, what);
            int status = response.statusCode();
            if (status != 301 && status != 302 && status != 303 && status != 307 && status != 308) {
                return response;
            }
            discard(response);
            at = target(at, response.headers().firstValue("Location").orElse(""), what);
        }
        throw RegistryFault.lasting(Kind.UNAVAILABLE, "pull " + what + ": " + endpoint + " redirects more than "
                + REDIRECT_LIMIT + " times", null);
    }

    private URI target(URI from, String location, String what) {
        try {
            URI to = from.resolve(location);
            boolean web = "https".equals(to.getScheme()) || "http".equals(to.getScheme());
            if (!location.isEmpty() && web && to.getHost() != null
                    && !("https".equals(from.getScheme()) && "http".equals(to.getScheme()))) {
                return to;
            }
        } catch (IllegalArgumentException e) {
            // Reported below with the others.
        }
        throw RegistryFault.lasting(Kind.UNAVAILABLE, "pull " + what + ": " + endpoint
                + " redirects to a place that is not safe to follow", null);
    }

    /** Sends one request; the body of the answer is the caller's to close. */
    HttpResponse<InputStream> send(HttpRequest.Builder builder, Endpoint.Tls tls, String what) {
        Duration connect = endpoint.connectLimit().orElse(options.connectLimit());
        HttpClient client = clients.client(tls, connect);
        HttpRequest request = builder.timeout(options.connectionStallLimit()).header("User-Agent", "berth").build();
        URI uri = request.uri();
        if ("http".equals(uri.getScheme())) {
            // HTTP/2 is agreed on by TLS or not at all: registries and proxies stumble over the offer to upgrade.
            request = builder.version(HttpClient.Version.HTTP_1_1).build();
        }
        try {
            return client.send(request, HttpResponse.BodyHandlers.ofInputStream());
        } catch (ConnectException | HttpConnectTimeoutException e) {
            unreachable = true;
            boolean unknown = e.getCause() instanceof UnresolvedAddressException
                    || e.getCause() != null && e.getCause().getCause() instanceof UnresolvedAddressException;
            String reason = unknown ? "the name is not known to DNS"
                    : e instanceof HttpConnectTimeoutException ? "no connection within " + connect.toMillis() + " ms"
                    : "connection refused or no route";
            throw RegistryFault.unreachable("pull " + what + ": cannot reach " + uri.getRawAuthority() + ": " + reason
                    + ": check the name, the network, the proxy, or set a mirror in hosts.toml", e);
        } catch (SSLException e) {
            throw RegistryFault.lasting(Kind.UNAVAILABLE, "pull " + what + ": TLS with " + uri.getRawAuthority()
                    + " failed: " + e.getMessage() + ": set ca (or server = \"http://…\" for plain HTTP) in hosts.toml", e);
        } catch (HttpTimeoutException e) {
            throw RegistryFault.passing(Kind.UNAVAILABLE, "pull " + what + ": " + uri.getRawAuthority()
                    + " did not answer for " + options.connectionStallLimit().toSeconds() + " s", e, Optional.empty());
        } catch (IOException e) {
            throw RegistryFault.passing(Kind.UNAVAILABLE, "pull " + what + ": connection to " + uri.getRawAuthority()
                    + " broke: " + io.berth.base.RuntimeFault.reason(e), e, Optional.empty());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw RegistryFault.lasting(Kind.CANCELLED, "pull " + what + ": cancelled", e);
        }
    }

    static void discard(HttpResponse<InputStream> response) {
        try (InputStream body = response.body()) {
            // A short body is read to its end, so that the connection can be used again.
            body.readNBytes(16 * 1024);
        } catch (IOException e) {
            // The answer was not wanted.
        }
    }

    PullOptions options() {
        return options;
    }

    private static boolean sameHost(URI a, URI b) {
        return a.getScheme().equals(b.getScheme()) && a.getRawAuthority().equalsIgnoreCase(b.getRawAuthority());
    }

    static List<Integer> passingStatuses() {
        return List.of(408, 429, 500, 502, 503, 504);
    }
}
