package io.berth.server.config;

import io.berth.base.RuntimeFault;
import io.berth.server.config.Config.Builtin;
import io.berth.server.config.Config.Cni;
import io.berth.server.config.Config.Grpc;
import io.berth.server.config.Config.Handler;
import io.berth.server.config.Config.Images;
import io.berth.server.config.Config.KeyPair;
import io.berth.server.config.Config.LogLines;
import io.berth.server.config.Config.NetworkKind;
import io.berth.server.config.Config.Runtime;
import io.berth.server.config.Config.Streaming;
import io.berth.server.log.LogFormat;
import io.berth.snapshot.Snapshotters;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.slf4j.event.Level;
import org.tomlj.Toml;
import org.tomlj.TomlArray;
import org.tomlj.TomlParseResult;
import org.tomlj.TomlTable;

/**
 * Reads {@code config.toml} and the drop-ins {@code config.d/*.toml} beside it, in the order of their names; a later file
 * wins key by key. All problems are reported at once.
 */
public final class ConfigFile {

    public static final Path DEFAULT = Path.of("/etc/berth/config.toml");

    /**
     * What was read.
     *
     * @param effective every key with the value that holds, for {@code berth config}
     * @param origins where each key's value comes from: the path of a file, "command line" or "default"
     */
    public record Loaded(Config config, Map<String, Object> effective, Map<String, String> origins) {}

    private ConfigFile() {}

    /**
     * Loads the configuration.
     *
     * @param file empty for the default file, which need not exist
     * @param overrides dotted keys that the command line sets
     * @throws RuntimeFault INVALID_ARGUMENT with every problem, one a line
     */
    public static Loaded load(Optional<Path> file, Map<String, Object> overrides) {
        ConfigTable table = new ConfigTable();
        Path main = file.orElse(DEFAULT);
        if (Files.exists(main)) {
            read(main, table);
        } else if (file.isPresent()) {
            throw RuntimeFault.notFound("read configuration " + main + ": there is no such file");
        }
        dropIns(main).forEach(dropIn -> read(dropIn, table));
        overrides.forEach((key, value) -> table.put(key, value, "command line"));
        Config config = config(table);
        ProxyKeys.check(config, table);
        List<String> problems = table.problems();
        if (!problems.isEmpty()) {
            throw RuntimeFault.invalid("read configuration: " + String.join("\n  ", problems));
        }
        return new Loaded(config, table.effective(), table.origins());
    }

    /**
     * Every key with its default, with a handler of this type whose keys begin with {@code handler}, and a plugin whose keys
     * begin with {@code proxy}.
     */
    static Map<String, Object> defaults(String handler, String type, String proxy) {
        ConfigTable table = new ConfigTable();
        table.putTable(proxy.substring(0, proxy.length() - 1));
        table.put(handler + "runtime_type", type, "default");
        config(table);
        Map<String, Object> defaults = table.effective();
        defaults.put(handler + "runtime_type", "oci");
        return defaults;
    }

    private static List<Path> dropIns(Path main) {
        Path directory = main.toAbsolutePath().resolveSibling("config.d");
        if (!Files.isDirectory(directory)) {
            return List.of();
        }
        try (Stream<Path> files = Files.list(directory)) {
            return files.filter(file -> file.toString().endsWith(".toml")).sorted().toList();
        } catch (IOException e) {
            throw RuntimeFault.internal("list " + directory + ": " + RuntimeFault.reason(e), e);
        }
    }

    private static void read(Path file, ConfigTable table) {
        try {
            TomlParseResult parsed = Toml.parse(file);
            parsed.errors().forEach(error -> table.problem(file + ":" + error.position().line() + ": " + error.getMessage()));
            flatten("", parsed, file.toString(), table);
        } catch (IOException e) {
            throw RuntimeFault.invalid("read configuration " + file + ": " + RuntimeFault.reason(e));
        }
    }

    private static void flatten(String prefix, TomlTable toml, String source, ConfigTable table) {
        for (String key : toml.keySet()) {
            Object value = toml.get(List.of(key));
            String name = prefix.isEmpty() ? key : prefix + "." + key;
            switch (value) {
                case TomlTable inner -> {
                    table.putTable(name);
                    flatten(name, inner, source, table);
                }
                case TomlArray array -> table.put(name, array.toList(), source);
                case null, default -> table.put(name, value, source);
            }
        }
    }

    private static Config config(ConfigTable table) {
        Path root = table.path("root", "/var/lib/berth");
        Path state = table.path("state", "/run/berth");
        return new Config(root, state, grpc(table), log(table), runtime(table), images(table), streaming(table),
                NriKeys.read(table), ExtensionKeys.read(table), metrics(table), TracingKeys.read(table),
                ConsoleKeys.read(table), ProxyKeys.read(table));
    }

    private static Optional<String> metrics(ConfigTable table) {
        String address = table.text("metrics.address", "");
        if (!address.isEmpty() && !address.matches("([0-9A-Za-z.-]+|\\[[0-9a-fA-F:]+]):[0-9]{1,5}")) {
            table.problem("metrics.address = \"" + address + "\": HOST:PORT such as \"127.0.0.1:10257\" is needed");
        }
        return Optional.of(address).filter(text -> !text.isEmpty());
    }

    private static Grpc grpc(ConfigTable table) {
        String mode = table.text("grpc.mode", "0660");
        if (!mode.matches("0?[0-7]{3}")) {
            table.problem("grpc.mode = \"" + mode + "\": permission bits like \"0660\" are needed");
            mode = "0";
        }
        return new Grpc(table.path("grpc.address", "/run/berth/berth.sock"),
                (int) table.number("grpc.uid", 0, 0, Integer.MAX_VALUE),
                (int) table.number("grpc.gid", 0, 0, Integer.MAX_VALUE), Integer.parseInt(mode, 8),
                (int) table.number("grpc.max_recv_message_size", 16 << 20, 1 << 16, 1 << 30));
    }

    private static LogLines log(ConfigTable table) {
        String level = table.text("debug.level", "info");
        if (!List.of("trace", "debug", "info", "warn", "error").contains(level)) {
            table.problem("debug.level = \"" + level + "\": one of trace, debug, info, warn, error is needed");
            level = "info";
        }
        String format = table.text("debug.format", "text");
        if (!List.of("text", "json").contains(format)) {
            table.problem("debug.format = \"" + format + "\": text or json is needed");
        }
        return new LogLines(Level.valueOf(level.toUpperCase(Locale.ROOT)),
                format.equals("json") ? LogFormat.JSON : LogFormat.TEXT);
    }

    private static Runtime runtime(ConfigTable table) {
        Map<String, Handler> handlers = new TreeMap<>();
        for (String name : table.names("runtime.runtimes")) {
            handlers.put(name, HandlerKeys.read(table, name));
        }
        String network = table.text("runtime.network", "cni");
        if (!List.of("cni", "builtin", "extension").contains(network)) {
            table.problem("runtime.network = \"" + network + "\": cni, builtin or extension is needed");
        }
        String defaultName = table.text("runtime.default_runtime_name", "");
        if (!defaultName.isEmpty() && !handlers.isEmpty() && !handlers.containsKey(defaultName)) {
            table.problem("runtime.default_runtime_name = \"" + defaultName + "\": there is no [runtime.runtimes."
                    + defaultName + "], only " + handlers.keySet());
        }
        return new Runtime(defaultName, handlers, networkKind(network),
                cni(table), builtin(table), table.text("runtime.conmon", "conmon"),
                table.text("runtime.default_cgroup_parent", "/berth"),
                table.flag("runtime.restrict_oom_score_adj", false),
                table.flag("runtime.enable_unprivileged_ports", true), table.flag("runtime.enable_unprivileged_icmp", true),
                table.text("runtime.unset_seccomp_profile", ""),
                table.path("runtime.seccomp_profile_root", "/var/lib/kubelet/seccomp"),
                table.texts("runtime.cdi_spec_dirs", List.of("/etc/cdi", "/var/run/cdi")).stream().map(Path::of).toList(),
                table.number("runtime.shm_size", 64L << 20, 1 << 16, 1L << 40),
                (int) table.number("runtime.sandbox_pool", 2, 0, 64),
                table.flag("runtime.enable_criu_support", false), table.flag("runtime.enable_checkpoint_images", false),
                table.flag("runtime.enable_selinux", true),
                Optional.of(table.text("runtime.blockio_config_file", "")).filter(file -> !file.isEmpty()).map(Path::of),
                table.flag("runtime.ignore_blockio_not_enabled_errors", false),
                table.flag("runtime.ignore_rdt_not_enabled_errors", false),
                table.texts("runtime.hooks_dir", List.of()).stream().map(Path::of).toList());
    }

    private static NetworkKind networkKind(String name) {
        return switch (name) {
            case "builtin" -> NetworkKind.BUILTIN;
            case "extension" -> NetworkKind.EXTENSION;
            default -> NetworkKind.CNI;
        };
    }

    private static Cni cni(ConfigTable table) {
        return new Cni(table.texts("runtime.cni.bin_dirs", List.of("/opt/cni/bin", "/usr/lib/cni")).stream().map(Path::of)
                .toList(), table.path("runtime.cni.conf_dir", "/etc/cni/net.d"),
                (int) table.number("runtime.cni.max_conf_num", 1, 1, 64));
    }

    private static Builtin builtin(ConfigTable table) {
        return new Builtin(table.text("runtime.builtin_network.bridge", "berth0"),
                table.text("runtime.builtin_network.subnet", "10.189.0.0/16"),
                table.flag("runtime.builtin_network.masquerade", true));
    }

    private static Images images(ConfigTable table) {
        return new Images(table.path("images.registry.config_path", "/etc/berth/certs.d"),
                table.path("images.registry.registries_file", "/etc/berth/registries.conf"),
                table.path("images.registry.credentials_file", "/etc/berth/auth.json"),
                table.path("images.registry.policy_file", "/etc/berth/policy.json"),
                (int) table.number("images.max_concurrent_downloads", 3, 1, 64),
                (int) table.number("images.max_concurrent_ranges", 3, 1, 16),
                table.duration("images.image_pull_progress_timeout", "1m"),
                table.flag("images.discard_unpacked_layers", true), table.texts("images.pinned_images", List.of()),
                table.text("images.snapshotter", Snapshotters.BUILT_IN));
    }

    private static Streaming streaming(ConfigTable table) {
        return new Streaming(table.text("streaming.stream_server_address", "127.0.0.1"),
                (int) table.number("streaming.stream_server_port", 0, 0, 65535),
                table.duration("streaming.stream_idle_timeout", "4h"), keyPair(table));
    }

    private static Optional<KeyPair> keyPair(ConfigTable table) {
        String certificate = table.text("streaming.x509_key_pair_streaming.tls_cert_file", "");
        String key = table.text("streaming.x509_key_pair_streaming.tls_key_file", "");
        boolean wanted = table.flag("streaming.enable_tls_streaming", false);
        if (wanted && (certificate.isEmpty() || key.isEmpty())) {
            table.problem("streaming.enable_tls_streaming = true: tls_cert_file and tls_key_file are needed in"
                    + " [streaming.x509_key_pair_streaming]");
            return Optional.empty();
        }
        return wanted ? Optional.of(new KeyPair(Path.of(certificate), Path.of(key))) : Optional.empty();
    }
}
