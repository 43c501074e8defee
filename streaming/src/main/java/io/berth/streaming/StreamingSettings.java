package io.berth.streaming;

import io.berth.base.RuntimeFault;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;

/**
 * How the streaming server listens and what it allows.
 *
 * @param address the address to listen on; loopback unless the kubelet is on another machine
 * @param port 0 for a free one
 * @param baseUrl what the URLs start with when clients reach the server through something else
 * @param tls certificate and key; plain HTTP without
 * @param idleTimeout how long nothing may pass before a session ends
 * @param streamCreationTimeout how long a client may take for its request and for opening its SPDY streams
 * @param tokenLifetime how long a URL is good
 * @param maxTokens how many unused URLs there may be
 */
public record StreamingSettings(
        String address,
        int port,
        Optional<URI> baseUrl,
        Optional<Tls> tls,
        Duration idleTimeout,
        Duration streamCreationTimeout,
        Duration tokenLifetime,
        int maxTokens) {

    /** PEM files: a certificate chain and its PKCS#8 key. Read when the server starts. */
    public record Tls(Path certificate, Path key) {}

    public StreamingSettings {
        if (port < 0 || port > 65535) {
            throw RuntimeFault.invalid("streaming port " + port + ": not between 0 and 65535");
        }
        if (maxTokens < 1) {
            throw RuntimeFault.invalid("streaming tokens " + maxTokens + ": must be at least 1");
        }
        baseUrl.ifPresent(StreamingSettings::checkBase);
        positive("idle timeout", idleTimeout);
        positive("stream creation timeout", streamCreationTimeout);
        positive("token lifetime", tokenLifetime);
    }

    /** Loopback, a free port, and the limits that the kubelet's own streaming library has. */
    public static StreamingSettings defaults() {
        return new StreamingSettings(
                "127.0.0.1",
                0,
                Optional.empty(),
                Optional.empty(),
                Duration.ofHours(4),
                Duration.ofSeconds(30),
                Duration.ofMinutes(1),
                1000);
    }

    /** The same with other limits of time. */
    public StreamingSettings withTimeouts(Duration idle, Duration streamCreation, Duration token) {
        return new StreamingSettings(address, port, baseUrl, tls, idle, streamCreation, token, maxTokens);
    }

    /** The same with at most {@code tokens} unused URLs. */
    public StreamingSettings withMaxTokens(int tokens) {
        return new StreamingSettings(
                address, port, baseUrl, tls, idleTimeout, streamCreationTimeout, tokenLifetime, tokens);
    }

    /** The same behind {@code base}. */
    public StreamingSettings withBaseUrl(URI base) {
        return new StreamingSettings(
                address, port, Optional.of(base), tls, idleTimeout, streamCreationTimeout, tokenLifetime, maxTokens);
    }

    /** The same over TLS. */
    public StreamingSettings withTls(Tls files) {
        return new StreamingSettings(
                address,
                port,
                baseUrl,
                Optional.of(files),
                idleTimeout,
                streamCreationTimeout,
                tokenLifetime,
                maxTokens);
    }

    private static void checkBase(URI base) {
        boolean http = "http".equals(base.getScheme()) || "https".equals(base.getScheme());
        if (!http || base.getHost() == null || base.getRawQuery() != null || base.getRawFragment() != null) {
            throw RuntimeFault.invalid(
                    "streaming base url " + base + ": must be http or https with a host, without query or fragment");
        }
    }

    private static void positive(String name, Duration value) {
        if (value.isNegative() || value.isZero()) {
            throw RuntimeFault.invalid("streaming " + name + " " + value + ": must be positive");
        }
    }
}
