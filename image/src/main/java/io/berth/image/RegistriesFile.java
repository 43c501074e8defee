package io.berth.image;

import io.berth.base.RuntimeFault;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import org.tomlj.Toml;
import org.tomlj.TomlArray;
import org.tomlj.TomlParseResult;
import org.tomlj.TomlTable;

/**
 * A {@code registries.conf} in its second version: registries by prefix with their location and mirrors, and what short
 * names mean. Immutable; a faulty file is an invalid argument that names the key. Source: containers-registries.conf(5).
 */
final class RegistriesFile {

    private static final long SIZE_LIMIT = 1 << 20;
    private static final Set<String> ROOT_KEYS = Set.of("registry", "aliases", "unqualified-search-registries",
            "short-name-mode", "credential-helpers", "additional-layer-store-auth-helper");
    private static final Set<String> REGISTRY_KEYS = Set.of("prefix", "location", "insecure", "blocked", "mirror",
            "mirror-by-digest-only");
    private static final Set<String> MIRROR_KEYS = Set.of("location", "insecure", "pull-from-mirror");

    /** When a mirror is asked. */
    enum Asked { ALWAYS, BY_DIGEST, BY_TAG }

    /** Where images are: a host, with the front part of the repository's path behind it. */
    record Place(String location, boolean insecure, Asked asked) {}

    /** A registry, or a part of one. */
    record Registry(String prefix, Place place, boolean blocked, List<Place> mirrors) {

        /** How many characters of the image's name the prefix covers; -1 when it is not of this registry. */
        int covers(String name) {
            if (prefix.startsWith("*.")) {
                int end = name.indexOf('/') < 0 ? name.length() : name.indexOf('/');
                int rest = prefix.indexOf('/') < 0 ? prefix.length() : prefix.indexOf('/');
                String host = name.substring(0, end).replaceFirst(":\\d+$", "");
                boolean below = host.endsWith(prefix.substring(1, rest)) && host.length() > rest - 1;
                return below && name.substring(end).startsWith(prefix.substring(rest)) ? end + prefix.length() - rest : -1;
            }
            boolean begins = name.startsWith(prefix);
            boolean whole = begins && (name.length() == prefix.length() || "/:@".indexOf(name.charAt(prefix.length())) >= 0);
            return whole ? prefix.length() : -1;
        }
    }

    private final Path file;
    private final List<Registry> registries = new ArrayList<>();
    private final Map<String, String> aliases = new TreeMap<>();
    private final List<String> searched;

    private RegistriesFile(Path file) {
        this.file = file;
        TomlTable root = parsed();
        known(root, ROOT_KEYS, "");
        for (TomlTable table : tables(root, "registry")) {
            registries.add(registry(table));
        }
        Object names = root.get(List.of("aliases"));
        if (names instanceof TomlTable table) {
            table.keySet().forEach(name -> aliases.put(name, text(table, name, "aliases.").orElseThrow()));
        }
        this.searched = texts(root, "unqualified-search-registries");
    }

    static RegistriesFile read(Path file) {
        return new RegistriesFile(file);
    }

    Path file() {
        return file;
    }

    /** The registry with the longest prefix that fits. */
    Optional<Registry> find(String name) {
        Registry best = null;
        for (Registry registry : registries) {
            if (registry.covers(name) >= 0 && (best == null || registry.covers(name) > best.covers(name))) {
                best = registry;
            }
        }
        return Optional.ofNullable(best);
    }

    /** What a name without a host stands for by an alias. */
    Optional<String> alias(String name) {
        return Optional.ofNullable(aliases.get(name));
    }

    /** Registries in which names without a host are looked for, in this order. */
    List<String> searched() {
        return searched;
    }

    private TomlTable parsed() {
        try {
            if (Files.size(file) > SIZE_LIMIT) {
                throw bad("", "larger than " + SIZE_LIMIT + " bytes");
            }
            TomlParseResult root = Toml.parse(Files.readString(file));
            if (root.hasErrors()) {
                var error = root.errors().getFirst();
                throw bad("", "line " + error.position().line() + ": " + error.getMessage());
            }
            return root;
        } catch (IOException e) {
            throw bad("", RuntimeFault.reason(e));
        }
    }

    private Registry registry(TomlTable table) {
        known(table, REGISTRY_KEYS, "registry.");
        Optional<String> location = text(table, "location", "registry.");
        String prefix = text(table, "prefix", "registry.").or(() -> location)
                .orElseThrow(() -> bad("registry", "neither prefix nor location"));
        if (prefix.startsWith("*.") && location.isPresent()) {
            throw bad("registry.location", "a prefix with a wildcard cannot have one");
        }
        boolean insecure = flag(table, "insecure", "registry.");
        boolean digestOnly = flag(table, "mirror-by-digest-only", "registry.");
        List<Place> mirrors = new ArrayList<>();
        for (TomlTable mirror : tables(table, "mirror")) {
            known(mirror, MIRROR_KEYS, "registry.mirror.");
            String at = text(mirror, "location", "registry.mirror.")
                    .orElseThrow(() -> bad("registry.mirror", "it has no location"));
            Asked asked = switch (text(mirror, "pull-from-mirror", "registry.mirror.").orElse(digestOnly ? "digest-only" : "all")) {
                case "all" -> Asked.ALWAYS;
                case "digest-only" -> Asked.BY_DIGEST;
                case "tag-only" -> Asked.BY_TAG;
                default -> throw bad("registry.mirror.pull-from-mirror", "not one of all, digest-only, tag-only");
            };
            mirrors.add(new Place(at, flag(mirror, "insecure", "registry.mirror."), asked));
        }
        return new Registry(prefix, new Place(location.orElse(""), insecure, Asked.ALWAYS),
                flag(table, "blocked", "registry."), List.copyOf(mirrors));
    }

    private void known(TomlTable table, Set<String> keys, String at) {
        for (String key : table.keySet()) {
            if (!keys.contains(key)) {
                throw bad(at + key, "unknown key");
            }
        }
    }

    private List<TomlTable> tables(TomlTable in, String key) {
        return switch (in.get(List.of(key))) {
            case null -> List.of();
            case TomlArray array when array.toList().stream().allMatch(TomlTable.class::isInstance) ->
                array.toList().stream().map(TomlTable.class::cast).toList();
            default -> throw bad(key, "not an array of tables");
        };
    }

    private List<String> texts(TomlTable in, String key) {
        return switch (in.get(List.of(key))) {
            case null -> List.of();
            case TomlArray array when array.toList().stream().allMatch(String.class::isInstance) ->
                array.toList().stream().map(String.class::cast).toList();
            default -> throw bad(key, "not an array of texts");
        };
    }

    private Optional<String> text(TomlTable table, String key, String at) {
        return switch (table.get(List.of(key))) {
            case null -> Optional.empty();
            case String text when text.matches("[A-Za-z0-9*._:/\\[\\]-]*") -> Optional.of(text.replaceFirst("/+$", ""))
                    .filter(value -> !value.isEmpty());
            default -> throw bad(at + key, "not a text without strange characters");
        };
    }

    private boolean flag(TomlTable table, String key, String at) {
        return switch (table.get(List.of(key))) {
            case null -> false;
            case Boolean value -> value;
            default -> throw bad(at + key, "neither true nor false");
        };
    }

    private RuntimeFault bad(String key, String reason) {
        return RuntimeFault.invalid("read registries " + file + (key.isEmpty() ? "" : ", key " + key) + ": " + reason);
    }
}
