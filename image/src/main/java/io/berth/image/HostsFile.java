package io.berth.image;

import io.berth.base.RuntimeFault;
import java.io.IOException;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.tomlj.Toml;
import org.tomlj.TomlArray;
import org.tomlj.TomlParseResult;
import org.tomlj.TomlTable;

/** One {@code hosts.toml}: the mirrors of a registry and how to reach them. Source: containerd {@code docs/hosts.md}. */
final class HostsFile {

    private static final Set<String> HOST_KEYS = Set.of("capabilities", "ca", "client", "skip_verify", "override_path",
            "header", "dial_timeout");
    private static final Set<String> CAPABILITIES = Set.of("pull", "resolve", "push", "referrers");
    private static final Set<String> OWN_HEADERS = Set.of("host", "connection", "content-length", "upgrade", "expect",
            "transfer-encoding");
    private static final Pattern DURATION = Pattern.compile("(\\d+(?:\\.\\d+)?)(ms|s|m|h)");
    private static final long SIZE_LIMIT = 1 << 20;

    private final Path file;
    private final String registry;

    private HostsFile(Path file, String registry) {
        this.file = file;
        this.registry = registry;
    }

    static List<Endpoint> read(Path file, String registry) {
        return new HostsFile(file, registry).endpoints();
    }

    private List<Endpoint> endpoints() {
        TomlParseResult root = parsed();
        List<Endpoint> found = new ArrayList<>();
        for (String key : root.keySet()) {
            if (!HOST_KEYS.contains(key) && !key.equals("server") && !key.equals("host")) {
                throw bad(key, "unknown key");
            }
        }
        TomlTable hosts = table(root, "host", "host");
        // Mirrors are asked in the order of the file, which the parsed table has kept by position.
        for (String address : inFileOrder(hosts)) {
            String at = "host.\"" + address + "\"";
            TomlTable table = table(hosts, address, at);
            for (String key : table.keySet()) {
                if (!HOST_KEYS.contains(key)) {
                    throw bad(at + "." + key, "unknown key");
                }
            }
            found.add(endpoint(table, at + ".", address, true));
        }
        String server = text(root, "server", "server").orElse(RegistryHosts.direct(registry).base().toString());
        found.add(endpoint(root, "", server, false));
        return List.copyOf(found);
    }

    private TomlParseResult parsed() {
        TomlParseResult root;
        try {
            if (Files.size(file) > SIZE_LIMIT) {
                throw bad("", "larger than " + SIZE_LIMIT + " bytes");
            }
            root = Toml.parse(Files.readString(file));
        } catch (IOException e) {
            throw bad("", RuntimeFault.reason(e));
        }
        if (root.hasErrors()) {
            var error = root.errors().getFirst();
            throw bad("", "line " + error.position().line() + ": " + error.getMessage());
        }
        return root;
    }

    private static List<String> inFileOrder(TomlTable hosts) {
        List<String> order = new ArrayList<>(hosts.keySet());
        order.sort((a, b) -> {
            var first = hosts.inputPositionOf(List.of(a));
            var second = hosts.inputPositionOf(List.of(b));
            return first == null || second == null ? 0 : first.line() - second.line();
        });
        return order;
    }

    private Endpoint endpoint(TomlTable table, String at, String address, boolean isHost) {
        boolean override = flag(table, "override_path", at);
        URI base = base(address, at.isEmpty() ? "server" : at, override);
        List<String> capabilities = strings(table, "capabilities", at);
        for (String capability : capabilities) {
            if (!CAPABILITIES.contains(capability)) {
                throw bad(at + "capabilities", "\"" + capability + "\" is not one of pull, resolve, push");
            }
        }
        boolean all = capabilities.isEmpty();
        var tls = new Endpoint.Tls(strings(table, "ca", at).stream().map(this::path).toList(), clients(table, at),
                flag(table, "skip_verify", at));
        String host = base.getRawAuthority();
        boolean mirror = isHost && !host.equals(RegistryHosts.apiHost(registry)) && !host.equals(registry);
        return new Endpoint(base, Optional.empty(), all || capabilities.contains("resolve"),
                all || capabilities.contains("pull"), tls, headers(table, at), duration(table, at), mirror,
                (isHost ? "host of " : "server of ") + file);
    }

    private URI base(String address, String at, boolean override) {
        String full = address.contains("://") ? address : (RegistryHosts.isLoopback(address.replaceFirst("/.*", ""))
                ? "http://" : "https://") + address;
        try {
            URI uri = new URI(full);
            boolean web = "http".equals(uri.getScheme()) || "https".equals(uri.getScheme());
            if (!web || uri.getHost() == null || uri.getRawUserInfo() != null || uri.getRawQuery() != null) {
                throw bad(at, "\"" + address + "\" is not an http or https address of a host");
            }
            String path = uri.getRawPath().replaceAll("/+$", "");
            if (!override && !path.endsWith("/v2")) {
                path += "/v2";
            }
            String authority = RegistryHosts.apiHost(uri.getRawAuthority());
            return new URI(uri.getScheme() + "://" + authority + path);
        } catch (URISyntaxException e) {
            throw bad(at, "\"" + address + "\" is not an address: " + e.getReason());
        }
    }

    private List<Endpoint.ClientPair> clients(TomlTable table, String at) {
        Object value = table.get(List.of("client"));
        return switch (value) {
            case null -> List.of();
            case String one -> List.of(new Endpoint.ClientPair(path(one), path(one)));
            case TomlArray array -> {
                List<Endpoint.ClientPair> pairs = new ArrayList<>();
                for (Object member : array.toList()) {
                    pairs.add(clientPair(member, at));
                }
                yield pairs;
            }
            default -> throw bad(at + "client", "neither text nor an array");
        };
    }

    private Endpoint.ClientPair clientPair(Object member, String at) {
        return switch (member) {
            case String one -> new Endpoint.ClientPair(path(one), path(one));
            case TomlArray two when two.size() >= 1 && two.size() <= 2
                    && two.toList().stream().allMatch(String.class::isInstance) -> {
                String certificate = two.getString(0);
                String key = two.size() == 2 && !two.getString(1).isEmpty() ? two.getString(1) : certificate;
                yield new Endpoint.ClientPair(path(certificate), path(key));
            }
            default -> throw bad(at + "client", "a member is neither a file nor a pair of certificate and key");
        };
    }

    private Map<String, List<String>> headers(TomlTable table, String at) {
        Map<String, List<String>> found = new LinkedHashMap<>();
        TomlTable header = table(table, "header", at + "header");
        for (String name : header.keySet()) {
            if (!name.matches("[A-Za-z0-9!#$%&'*+.^_`|~-]+") || OWN_HEADERS.contains(name.toLowerCase(java.util.Locale.ROOT))) {
                throw bad(at + "header." + name, "this header cannot be set");
            }
            List<String> values = strings(header, name, at + "header.");
            if (values.stream().anyMatch(value -> !value.matches("[\\x20-\\x7e\\t]*"))) {
                throw bad(at + "header." + name, "the value has control characters");
            }
            found.put(name, values);
        }
        return Map.copyOf(found);
    }

    private Optional<Duration> duration(TomlTable table, String at) {
        return text(table, "dial_timeout", at + "dial_timeout").map(text -> {
            Matcher matcher = DURATION.matcher(text);
            double amount = matcher.matches() ? Double.parseDouble(matcher.group(1)) : 0;
            if (amount <= 0 || amount > 1_000_000) {
                throw bad(at + "dial_timeout", "\"" + text + "\" is not a duration such as 3s or 500ms");
            }
            double millis = switch (matcher.group(2)) {
                case "ms" -> 1;
                case "s" -> 1_000;
                case "m" -> 60_000;
                default -> 3_600_000;
            };
            return Duration.ofMillis(Math.max(1, (long) (amount * millis)));
        });
    }

    private List<String> strings(TomlTable table, String key, String at) {
        Object value = table.get(List.of(key));
        return switch (value) {
            case null -> List.of();
            case String one -> List.of(one);
            case TomlArray many when many.toList().stream().allMatch(String.class::isInstance) ->
                many.toList().stream().map(String.class::cast).toList();
            default -> throw bad(at + key, "neither text nor an array of texts");
        };
    }

    private boolean flag(TomlTable table, String key, String at) {
        Object value = table.get(List.of(key));
        if (value != null && !(value instanceof Boolean)) {
            throw bad(at + key, "neither true nor false");
        }
        return Boolean.TRUE.equals(value);
    }

    private Optional<String> text(TomlTable table, String key, String at) {
        Object value = table.get(List.of(key));
        if (value != null && !(value instanceof String)) {
            throw bad(at, "not a text");
        }
        return Optional.ofNullable((String) value);
    }

    private TomlTable table(TomlTable in, String key, String at) {
        Object value = in.get(List.of(key));
        if (value == null) {
            return Toml.parse("");
        }
        if (value instanceof TomlTable found) {
            return found;
        }
        throw bad(at, "not a table");
    }

    private Path path(String name) {
        return file.getParent().resolve(name).normalize();
    }

    private RuntimeFault bad(String key, String reason) {
        return RuntimeFault.invalid("read registry hosts " + file + (key.isEmpty() ? "" : ", key " + key) + ": " + reason);
    }
}
