package io.berth.image;

import io.berth.base.RuntimeFault;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The endpoints that are asked for an image, in their order: those of the registry's own {@code hosts.toml}, else those
 * of {@code registries.conf}, else those of {@code _default/hosts.toml}, else the registry itself. What
 * {@code registries.conf} blocks is refused in any case. All files are read anew for each pull. Stateless.
 */
final class FindEndpoints {

    private final RegistryHosts hosts;
    private final Optional<Path> registries;

    FindEndpoints(PullOptions.Files files) {
        this.hosts = new RegistryHosts(files.certsDirectory());
        this.registries = files.registries();
    }

    /** @throws RuntimeFault PERMISSION_DENIED when the registry is blocked */
    List<Endpoint> of(ImageReference image) {
        Optional<RegistriesFile> file = registries.filter(Files::exists).map(RegistriesFile::read);
        Optional<RegistriesFile.Registry> registry = file.flatMap(found -> found.find(image.name()));
        if (registry.filter(RegistriesFile.Registry::blocked).isPresent()) {
            throw new RuntimeFault(RuntimeFault.Kind.PERMISSION_DENIED, "pull image " + image + ": " + file.get().file()
                    + " blocks \"" + registry.get().prefix() + "\"");
        }
        return hosts.named(image.registry())
                .or(() -> registry.map(found -> of(image, found, file.get().file())))
                .or(() -> hosts.fallback(image.registry()))
                .orElseGet(() -> List.of(RegistryHosts.direct(image.registry())));
    }

    private List<Endpoint> of(ImageReference image, RegistriesFile.Registry registry, Path file) {
        List<Endpoint> all = new ArrayList<>();
        String rest = image.name().substring(registry.covers(image.name()));
        for (RegistriesFile.Place mirror : registry.mirrors()) {
            // One for digests only is asked for what a tag, resolved elsewhere, has turned out to mean.
            if (image.digest().isEmpty() || mirror.asked() != RegistriesFile.Asked.BY_TAG) {
                all.addAll(at(mirror, rest, image, "mirror of \"" + registry.prefix() + "\" in " + file));
            }
        }
        String own = registry.place().location().isEmpty() ? image.name() : registry.place().location() + rest;
        all.addAll(at(new RegistriesFile.Place(own, registry.place().insecure(), RegistriesFile.Asked.ALWAYS), "", image,
                "location of \"" + registry.prefix() + "\" in " + file));
        return List.copyOf(all);
    }

    private List<Endpoint> at(RegistriesFile.Place place, String rest, ImageReference image, String origin) {
        String name = place.location() + rest;
        int slash = name.indexOf('/');
        if (slash <= 0) {
            throw RuntimeFault.invalid("pull image " + image + ": " + origin + " leads to \"" + name
                    + "\", which has no repository");
        }
        String host = name.substring(0, slash);
        String repository = name.substring(slash + 1);
        // The host's own hosts.toml says how its certificate is checked, also when it serves for another one here.
        Endpoint direct = hosts.named(host).map(List::getLast).orElseGet(() -> RegistryHosts.direct(host));
        boolean mirror = !host.equals(image.registry());
        Optional<String> renamed = Optional.of(repository).filter(r -> !r.equals(image.repository()) || mirror);
        boolean resolves = place.asked() != RegistriesFile.Asked.BY_DIGEST;
        Endpoint found = new Endpoint(direct.base(), renamed, resolves, true, direct.tls(), direct.headers(),
                direct.connectLimit(), mirror, origin);
        if (!place.insecure()) {
            return List.of(found);
        }
        Endpoint.Tls any = found.tls().unverified();
        return List.of(with(found, base("https", host), any), with(found, base("http", host), Endpoint.Tls.DEFAULT));
    }

    private static Endpoint with(Endpoint endpoint, URI base, Endpoint.Tls tls) {
        return new Endpoint(base, endpoint.repository(), endpoint.resolves(), endpoint.pulls(), tls, Map.of(),
                endpoint.connectLimit(), endpoint.mirror(), endpoint.origin() + ", insecure");
    }

    private static URI base(String scheme, String host) {
        try {
            return new URI(scheme + "://" + RegistryHosts.apiHost(host) + "/v2");
        } catch (URISyntaxException e) {
            throw RuntimeFault.invalid("read registries: \"" + host + "\" is not a host");
        }
    }
}
