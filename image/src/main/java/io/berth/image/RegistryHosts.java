package io.berth.image;

import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Which endpoints serve a registry, in the order in which they are asked. Read anew for each pull, so that a change
 * takes effect at once. Thread-safe.
 *
 * <p>Source: containerd {@code docs/hosts.md}: {@code <directory>/<host[:port]>/hosts.toml}, also as
 * {@code host_port_}, else {@code _default}. A registry without a file is asked directly, by HTTPS, or by HTTP when its
 * host is this machine.
 */
public final class RegistryHosts {

    private static final String DEFAULT = "_default";
    private static final Set<String> LOOPBACK = Set.of("localhost", "127.0.0.1", "[::1]");

    private final Optional<Path> directory;

    /** @param directory as containerd's {@code config_path}; empty for none */
    public RegistryHosts(Optional<Path> directory) {
        this.directory = directory;
    }

    /** The endpoints of {@code registry}; a faulty file is an invalid argument that names the file and key. */
    public List<Endpoint> endpoints(String registry) {
        return named(registry).or(() -> fallback(registry)).orElseGet(() -> List.of(direct(registry)));
    }

    /** What a file of the registry's own says; empty when there is none. */
    Optional<List<Endpoint>> named(String registry) {
        return read(folders(registry).stream().filter(folder -> !folder.endsWith(DEFAULT)).toList(), registry);
    }

    /** What {@code _default} says; empty when there is none. */
    Optional<List<Endpoint>> fallback(String registry) {
        return read(folders(registry).stream().filter(folder -> folder.endsWith(DEFAULT)).toList(), registry);
    }

    private static Optional<List<Endpoint>> read(List<Path> folders, String registry) {
        return folders.stream().map(folder -> folder.resolve("hosts.toml")).filter(Files::isRegularFile).findFirst()
                .map(file -> HostsFile.read(file, registry));
    }

    private List<Path> folders(String registry) {
        if (directory.isEmpty() || !Files.isDirectory(directory.get())) {
            return List.of();
        }
        Set<String> names = new LinkedHashSet<>();
        int colon = registry.lastIndexOf(':');
        if (colon > 0 && !registry.endsWith("]")) {
            names.add(registry.substring(0, colon) + "_" + registry.substring(colon + 1) + "_");
        }
        names.add(registry);
        names.add(DEFAULT);
        List<Path> found = new ArrayList<>();
        names.forEach(name -> found.add(directory.get().resolve(name)));
        return found;
    }

    /** The registry itself, without any configuration. */
    static Endpoint direct(String registry) {
        String host = apiHost(registry);
        URI base = URI.create((isLoopback(host) ? "http://" : "https://") + host + "/v2");
        return new Endpoint(base, Optional.empty(), true, true, Endpoint.Tls.DEFAULT, Map.of(), Optional.empty(), false,
                "the registry in the image's name");
    }

    /** The host that serves the API of a registry: docker.io's is another one. */
    static String apiHost(String registry) {
        return registry.equals(ImageReference.DEFAULT_REGISTRY) ? "registry-1.docker.io" : registry;
    }

    /** Whether plain HTTP is right for the host, because the bytes never leave the machine. */
    static boolean isLoopback(String host) {
        int colon = host.lastIndexOf(':');
        return LOOPBACK.contains(colon > 0 && !host.endsWith("]") ? host.substring(0, colon) : host);
    }
}
