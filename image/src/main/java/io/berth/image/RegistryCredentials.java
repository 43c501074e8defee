package io.berth.image;

import io.berth.base.RuntimeFault;
import java.nio.charset.StandardCharsets;
import java.util.Base64;

/**
 * What the kubelet gives to log in to a registry; members that it leaves out are empty. Never logged: {@link #toString}
 * shows no secret. Source: CRI {@code AuthConfig}.
 *
 * @param auth base64 of {@code username:password}, instead of the two
 * @param identityToken a refresh token, exchanged for an access token
 * @param registryToken an access token, sent as it is
 * @param serverAddress the registry that these are for; empty for the one in the image's name
 */
public record RegistryCredentials(String username, String password, String auth, String identityToken,
        String registryToken, String serverAddress) {

    public static RegistryCredentials basic(String username, String password) {
        return new RegistryCredentials(username, password, "", "", "", "");
    }

    /** The form with user name and password spelled out; a malformed {@code auth} is an invalid argument. */
    RegistryCredentials decoded() {
        if (!username.isEmpty() || auth.isEmpty()) {
            return this;
        }
        try {
            String pair = new String(Base64.getDecoder().decode(auth.strip()), StandardCharsets.UTF_8);
            int colon = pair.indexOf(':');
            if (colon > 0) {
                String secret = pair.substring(colon + 1).replaceAll("\0+$", "");
                return new RegistryCredentials(pair.substring(0, colon), secret, "", identityToken, registryToken,
                        serverAddress);
            }
        } catch (IllegalArgumentException e) {
            // The reason would quote the secret.
        }
        throw RuntimeFault.invalid("read registry credentials: auth is not the base64 of username:password");
    }

    /** Whether these may be sent to {@code host}, when the image's name says {@code registry}. */
    boolean areFor(String registry, String host) {
        String server = serverAddress.replaceFirst("^https?://", "").replaceFirst("/.*$", "");
        if (server.isEmpty()) {
            return host.equals(RegistryHosts.apiHost(registry)) || host.equals(registry);
        }
        return server.equals(host) || RegistryHosts.apiHost(server.equals("index.docker.io") ? "docker.io" : server)
                .equals(host);
    }

    boolean isEmpty() {
        return username.isEmpty() && auth.isEmpty() && identityToken.isEmpty() && registryToken.isEmpty();
    }

    boolean hasPassword() {
        return !username.isEmpty();
    }

    @Override
    public String toString() {
        return "RegistryCredentials[username=" + username + ", serverAddress=" + serverAddress + "]";
    }
}
