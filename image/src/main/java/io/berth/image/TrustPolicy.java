package io.berth.image;

import io.berth.base.RuntimeFault;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.PublicKey;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import tools.jackson.databind.JsonNode;

/**
 * Whose images are accepted: a {@code policy.json} with requirements for registries and parts of them. The longest scope
 * that fits counts, and all its requirements have to hold. The file is read anew for each pull; one that is faulty or asks
 * for what Berth cannot check refuses every pull that it speaks of. Stateless.
 *
 * <p>Source: containers-policy.json(5). Known requirements: {@code insecureAcceptAnything}, {@code reject},
 * {@code sigstoreSigned} with a key.
 */
final class TrustPolicy {

    private static final int SIZE_LIMIT = 1 << 20;

    /** What has to hold for an image. */
    sealed interface Requirement {
        /** Nothing. */
        record Accept() implements Requirement {}

        /** Never holds. */
        record Reject() implements Requirement {}

        /** A signature by one of the keys. */
        record Signed(List<Path> keyFiles, List<PublicKey> keys) implements Requirement {}

        /** Something that cannot be checked, so that it does not hold. */
        record Unknown(String type) implements Requirement {}
    }

    /** The requirements that count for an image, and where they stand. */
    record Rule(String scope, List<Requirement> requirements) {}

    private final Path file;

    TrustPolicy(Path file) {
        this.file = file;
    }

    Path file() {
        return file;
    }

    /** The rule for an image; one that accepts everything where there is no file. */
    Rule rule(ImageReference image) {
        if (!Files.exists(file)) {
            return new Rule("no policy", List.of(new Requirement.Accept()));
        }
        try {
            BoundedJson document = BoundedJson.parse(file.toString(), Files.readAllBytes(file), SIZE_LIMIT);
            JsonNode docker = document.object(document.object(document.root(), "transports"), "docker");
            for (String scope : scopes(image)) {
                if (docker.has(scope)) {
                    return new Rule("\"" + scope + "\"", requirements(document, docker, scope));
                }
            }
            return new Rule("default", requirements(document, document.root(), "default"));
        } catch (IOException | RuntimeFault e) {
            throw RuntimeFault.precondition("read trust policy " + file + ": " + RuntimeFault.reason(e)
                    + ": no image is accepted until this is corrected");
        }
    }

    /** The rule in words. */
    String describe(ImageReference image) {
        Rule rule = rule(image);
        return rule.scope + ": " + String.join(" and ", rule.requirements.stream().map(requirement -> switch (requirement) {
            case Requirement.Accept a -> "accepted without a check";
            case Requirement.Reject r -> "rejected";
            case Requirement.Signed s -> "accepted when signed by " + s.keyFiles;
            case Requirement.Unknown u -> "rejected, because \"" + u.type + "\" cannot be checked";
        }).toList());
    }

    // From the whole name to the host alone, then the domains above it, then all.
    private static List<String> scopes(ImageReference image) {
        List<String> scopes = new ArrayList<>();
        scopes.add(image.toString());
        image.repoTag().ifPresent(scopes::add);
        for (String name = image.name(); !name.isEmpty();) {
            scopes.add(name);
            int slash = name.lastIndexOf('/');
            name = slash < 0 ? "" : name.substring(0, slash);
        }
        String host = image.registry();
        for (int dot = host.indexOf('.'); dot >= 0; dot = host.indexOf('.', dot + 1)) {
            scopes.add("*" + host.substring(dot));
        }
        scopes.add("");
        return scopes;
    }

    private List<Requirement> requirements(BoundedJson document, JsonNode in, String key) throws IOException {
        List<Requirement> found = new ArrayList<>();
        for (JsonNode entry : document.objects(in, key)) {
            String type = document.string(entry, "type");
            found.add(switch (type) {
                case "insecureAcceptAnything" -> new Requirement.Accept();
                case "reject" -> new Requirement.Reject();
                case "sigstoreSigned" -> signed(document, entry);
                default -> new Requirement.Unknown(type);
            });
        }
        if (found.isEmpty()) {
            throw document.bad("\"" + key + "\" has no requirements");
        }
        return found;
    }

    private Requirement signed(BoundedJson document, JsonNode entry) throws IOException {
        List<Path> files = new ArrayList<>();
        Optional.of(document.string(entry, "keyPath")).filter(path -> !path.isEmpty())
                .ifPresent(path -> files.add(file.resolveSibling(path)));
        document.strings(entry, "keyPaths").forEach(path -> files.add(file.resolveSibling(path)));
        // A requirement that is more than a key (an identity, a log) must not hold by the key alone.
        for (String member : entry.propertyNames()) {
            if (!List.of("type", "keyPath", "keyPaths", "signedIdentity").contains(member)) {
                return new Requirement.Unknown("sigstoreSigned with " + member);
            }
        }
        String identity = document.string(document.object(entry, "signedIdentity"), "type");
        if (files.isEmpty() || !List.of("", "matchRepository", "matchRepoDigestOrExact").contains(identity)) {
            return new Requirement.Unknown("sigstoreSigned " + identity);
        }
        List<PublicKey> keys = new ArrayList<>();
        for (Path path : files) {
            keys.add(PublicKeyFile.read(path));
        }
        return new Requirement.Signed(List.copyOf(files), List.copyOf(keys));
    }
}
