package io.berth.image;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/**
 * Which credentials an endpoint gets: those of the request for the registry in the image's name and nobody else, then
 * those of the credentials file for the host and repository that is asked. The file is read anew for each pull. Stateless.
 */
final class FindCredentials {

    private final Optional<RegistryCredentials> request;
    private final Optional<CredentialsFile> file;

    FindCredentials(Optional<RegistryCredentials> request, Optional<Path> file) {
        this.request = request;
        this.file = file.filter(Files::exists).map(CredentialsFile::read);
    }

    /** May run a credential helper. */
    Optional<FoundCredentials> of(ImageReference reference, Endpoint endpoint) {
        // The server of hosts.toml stands for the registry itself; a mirror is another party and gets nothing of it.
        String host = endpoint.mirror() ? endpoint.host() : RegistryHosts.apiHost(reference.registry());
        Optional<FoundCredentials> given = request.filter(c -> c.areFor(reference.registry(), host))
                .map(c -> new FoundCredentials(c, "the request"));
        if (given.isPresent() || file.isEmpty()) {
            return given;
        }
        String repository = endpoint.repository().orElse(reference.repository());
        return file.get().find(endpoint.mirror() ? endpoint.host() : reference.registry(), repository);
    }
}
