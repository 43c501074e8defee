package io.berth.image;

import io.berth.base.RuntimeFault;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import tools.jackson.databind.JsonNode;

/**
 * A {@code config.json} as {@code docker login} or {@code podman login} writes it: credentials by host, or by host and a
 * part of the repository's path, the longest first; credential helpers by host; a store for all hosts. Immutable; a faulty
 * file is an invalid argument that names the file and never a secret.
 *
 * <p>Source: docker's "config.json" reference; containers-auth.json(5).
 */
final class CredentialsFile {

    private static final int SIZE_LIMIT = 4 << 20;

    private final Path file;
    private final Map<String, RegistryCredentials> byPlace = new HashMap<>();
    private final Map<String, String> helpers = new HashMap<>();
    private final String store;

    private CredentialsFile(Path file, byte[] json) {
        this.file = file;
        BoundedJson document = BoundedJson.parse(file.toString(), json, SIZE_LIMIT);
        JsonNode auths = document.object(document.root(), "auths");
        for (String place : auths.propertyNames()) {
            JsonNode entry = document.object(auths, place);
            var credentials = new RegistryCredentials(document.string(entry, "username"), document.string(entry, "password"),
                    document.string(entry, "auth"), document.string(entry, "identitytoken"),
                    document.string(entry, "registrytoken"), "");
            // An empty entry is what docker leaves for a host whose credentials a helper keeps.
            if (!credentials.isEmpty()) {
                byPlace.put(place(place), credentials);
            }
        }
        document.stringMap(document.root(), "credHelpers").forEach((host, helper) -> helpers.put(place(host), helper));
        this.store = document.string(document.root(), "credsStore");
    }

    static CredentialsFile read(Path file) {
        try {
            return new CredentialsFile(file, Files.readAllBytes(file));
        } catch (IOException e) {
            throw RuntimeFault.invalid("read credentials " + file + ": " + RuntimeFault.reason(e));
        } catch (RuntimeFault e) {
            // What is wrong with the node's own file is not lost data.
            throw RuntimeFault.invalid("read credentials " + file + ": " + e.getMessage());
        }
    }

    // The forms that tools have used for a host: with a scheme, with a version at its end, docker.io under three names.
    private static String place(String written) {
        String bare = written.replaceFirst("^https?://", "").replaceFirst("/v[12]/?$", "").replaceFirst("/+$", "");
        return bare.equals("index.docker.io") || bare.equals("registry-1.docker.io") ? ImageReference.DEFAULT_REGISTRY : bare;
    }

    /** The credentials for a repository at a host; may run a credential helper. */
    Optional<FoundCredentials> find(String host, String repository) {
        String place = place(host);
        List<String> places = new ArrayList<>();
        for (String path = repository; !path.isEmpty(); path = path.substring(0, Math.max(0, path.lastIndexOf('/')))) {
            places.add(place + "/" + path);
        }
        places.add(place);
        for (String at : places) {
            if (byPlace.containsKey(at)) {
                return Optional.of(new FoundCredentials(byPlace.get(at), file + " (auths \"" + at + "\")"));
            }
        }
        String helper = helpers.getOrDefault(place, store);
        if (helper.isEmpty()) {
            return Optional.empty();
        }
        String server = place.equals(ImageReference.DEFAULT_REGISTRY) ? "https://index.docker.io/v1/" : place;
        return CredentialProgram.ask(helper, server).map(found ->
                new FoundCredentials(found, "docker-credential-" + helper + " (named in " + file + ")"));
    }
}
