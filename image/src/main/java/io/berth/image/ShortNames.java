package io.berth.image;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * What a name without a host means: an alias of {@code registries.conf}, else the same name in each of its search
 * registries, else docker.io. The file is read anew each time. Stateless.
 */
public final class ShortNames {

    private final Optional<Path> registries;

    public ShortNames(PullOptions options) {
        this.registries = options.files().registries();
    }

    /** The images that {@code text} may mean, the first that exists is meant; one for a name with a host. */
    public List<ImageReference> meanings(String text) {
        ImageReference usual = ImageReference.parse(text);
        String first = text.contains("/") ? text.substring(0, text.indexOf('/')) : "";
        boolean hasHost = !first.isEmpty() && ImageReference.isHost(first);
        if (hasHost || registries.filter(Files::exists).isEmpty()) {
            return List.of(usual);
        }
        RegistriesFile file = RegistriesFile.read(registries.get());
        String name = text.replaceFirst("@.*$", "").replaceFirst(":[^/]*$", "");
        String rest = text.substring(name.length());
        Optional<String> alias = file.alias(name);
        if (alias.isPresent()) {
            return List.of(ImageReference.parse(alias.get() + rest));
        }
        return file.searched().isEmpty() ? List.of(usual)
                : file.searched().stream().map(host -> ImageReference.parse(host + "/" + text)).toList();
    }
}
