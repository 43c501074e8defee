package io.berth.image;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.Signature;
import java.security.cert.CertificateFactory;
import java.security.spec.PKCS8EncodedKeySpec;
import java.time.Instant;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.Collectors;

/**
 * A token server that docker-registry believes: it knows one user, who may pull what is below {@code team/}, and signs what
 * it says. Source: distribution, "Token Authentication Specification" and "Token Authentication Implementation".
 */
final class TokenServer implements AutoCloseable {

    /** Query and authorization of each request. */
    final List<String> asked = new CopyOnWriteArrayList<>();
    private final HttpServer server;
    private final PrivateKey key;
    private final byte[] certificate;
    private final String login;

    /** @param directory with {@code token.key} and {@code token.pem} of an RSA key */
    TokenServer(Path directory, String login) throws Exception {
        String pem = Files.readString(directory.resolve("token.key")).replaceAll("-----[A-Z ]+-----|\\s", "");
        this.key = KeyFactory.getInstance("RSA").generatePrivate(new PKCS8EncodedKeySpec(Base64.getDecoder().decode(pem)));
        this.certificate = CertificateFactory.getInstance("X.509").generateCertificate(
                new ByteArrayInputStream(Files.readAllBytes(directory.resolve("token.pem")))).getEncoded();
        this.login = "Basic " + Base64.getEncoder().encodeToString(login.getBytes(StandardCharsets.UTF_8));
        this.server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext("/token", this::answer);
        server.start();
    }

    /** What the registry's configuration says of it. */
    String settings(Path directory) {
        return "auth: {token: {realm: \"http://127.0.0.1:" + server.getAddress().getPort()
                + "/token\", service: tests, issuer: tests, rootcertbundle: " + directory.resolve("token.pem") + "}}\n";
    }

    private void answer(HttpExchange exchange) throws IOException {
        String authorization = exchange.getRequestHeaders().getFirst("Authorization");
        asked.add(exchange.getRequestURI().getQuery() + " " + authorization);
        boolean known = login.equals(authorization);
        Map<String, String> query = Arrays.stream(exchange.getRequestURI().getRawQuery().split("&"))
                .map(pair -> pair.split("=", 2)).collect(Collectors.toMap(pair -> pair[0],
                        pair -> URLDecoder.decode(pair[1], StandardCharsets.UTF_8)));
        byte[] body = authorization != null && !known
                ? "{\"errors\":[{\"message\":\"no such user\"}]}".getBytes(StandardCharsets.UTF_8)
                : ("{\"token\":\"" + token(query.getOrDefault("scope", ""), known) + "\",\"expires_in\":60}")
                        .getBytes(StandardCharsets.UTF_8);
        exchange.getResponseHeaders().set("Content-Type", "application/json");
        exchange.sendResponseHeaders(authorization != null && !known ? 401 : 200, body.length);
        exchange.getResponseBody().write(body);
        exchange.close();
    }

    private String token(String scope, boolean known) {
        String[] parts = scope.split(":");
        boolean allowed = known && parts.length == 3 && parts[1].startsWith("team/");
        String access = allowed ? "{\"type\":\"repository\",\"name\":\"" + parts[1] + "\",\"actions\":[\"pull\"]}" : "";
        long now = Instant.now().getEpochSecond();
        String head = encoded("{\"typ\":\"JWT\",\"alg\":\"RS256\",\"x5c\":[\"" + Base64.getEncoder().encodeToString(certificate)
                + "\"]}");
        String claims = encoded("{\"iss\":\"tests\",\"sub\":\"user\",\"aud\":\"tests\",\"exp\":" + (now + 300) + ",\"nbf\":"
                + (now - 60) + ",\"iat\":" + (now - 60) + ",\"jti\":\"" + now + "\",\"access\":[" + access + "]}");
        try {
            Signature signature = Signature.getInstance("SHA256withRSA");
            signature.initSign(key);
            signature.update((head + "." + claims).getBytes(StandardCharsets.US_ASCII));
            return head + "." + claims + "." + Base64.getUrlEncoder().withoutPadding().encodeToString(signature.sign());
        } catch (java.security.GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }

    private static String encoded(String json) {
        return Base64.getUrlEncoder().withoutPadding().encodeToString(json.getBytes(StandardCharsets.UTF_8));
    }

    @Override
    public void close() {
        server.stop(0);
    }
}
