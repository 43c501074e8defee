package io.berth.cli.migrate;

import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** containerd's {@code config.toml}, versions 2 and 3. Source: containerd {@code docs/cri/config.md}. */
public final class ImportContainerd {

    // Version 2 has one CRI plugin, version 3 one for the runtime and one for images.
    private static final Pattern CRI = Pattern.compile(
            "plugins/io\\.containerd\\.(?:grpc\\.v1\\.cri|cri\\.v1\\.(?:runtime|images))/(.*)");
    private static final Pattern RUNTIME = Pattern.compile("containerd/runtimes/([^/]+)/(.*)");
    private static final Set<String> RUNC = Set.of("io.containerd.runc.v2", "io.containerd.runc.v1");
    private static final Pattern SHIM = Pattern.compile("[A-Za-z0-9_.-]+\\.v2");
    private static final String NO_INFRA = "Berth needs no pause image";
    private static final String OWN_PLACE = "Berth has directories and sockets of its own";
    private static final String NRI = "plugins/io.containerd.nri.v1.nri/";

    /** Keys that mean the same; those of the CRI plugins without the plugin's name. */
    private static final Map<String, String> SAME = Map.ofEntries(
            Map.entry("grpc/uid", "grpc.uid"), Map.entry("grpc/gid", "grpc.gid"),
            Map.entry("grpc/max_recv_message_size", "grpc.max_recv_message_size"),
            Map.entry("debug/level", "debug.level"),
            Map.entry("stream_server_address", "streaming.stream_server_address"),
            Map.entry("stream_idle_timeout", "streaming.stream_idle_timeout"),
            Map.entry("enable_unprivileged_ports", "runtime.enable_unprivileged_ports"),
            Map.entry("enable_unprivileged_icmp", "runtime.enable_unprivileged_icmp"),
            Map.entry("restrict_oom_score_adj", "runtime.restrict_oom_score_adj"),
            Map.entry("unset_seccomp_profile", "runtime.unset_seccomp_profile"),
            Map.entry("cdi_spec_dirs", "runtime.cdi_spec_dirs"),
            Map.entry(NRI + "disable", "nri.disable"), Map.entry(NRI + "socket_path", "nri.socket_path"),
            Map.entry(NRI + "plugin_path", "nri.plugin_path"), Map.entry(NRI + "plugin_config_path", "nri.plugin_config_path"),
            Map.entry(NRI + "plugin_registration_timeout", "nri.plugin_registration_timeout"),
            Map.entry(NRI + "plugin_request_timeout", "nri.plugin_request_timeout"),
            Map.entry(NRI + "disable_connections", "nri.disable_connections"),
            Map.entry("cni/conf_dir", "runtime.cni.conf_dir"), Map.entry("cni/bin_dirs", "runtime.cni.bin_dirs"),
            Map.entry("cni/max_conf_num", "runtime.cni.max_conf_num"),
            Map.entry("containerd/default_runtime_name", "runtime.default_runtime_name"),
            Map.entry("enable_selinux", "runtime.enable_selinux"), Map.entry("max_concurrent_downloads", "images.max_concurrent_downloads"),
            Map.entry("image_pull_progress_timeout", "images.image_pull_progress_timeout"),
            Map.entry("registry/config_path", "images.registry.config_path"));

    private static final Map<String, String> UNNEEDED = Map.ofEntries(
            Map.entry("version", "Berth's file has one version"), Map.entry("root", OWN_PLACE), Map.entry("state", OWN_PLACE),
            Map.entry("grpc/address", OWN_PLACE), Map.entry("ttrpc/address", OWN_PLACE), Map.entry("temp", OWN_PLACE),
            Map.entry("sandbox_image", NO_INFRA), Map.entry("pinned_images/sandbox", NO_INFRA),
            Map.entry("enable_cdi", "always on"), Map.entry("containerd/discard_unpacked_layers", "Berth decides by itself"),
            Map.entry("disable_tcp_service", "the streaming server listens on loopback only"),
            Map.entry("tolerate_missing_hugetlb_controller", "always tolerated"),
            Map.entry("disable_hugetlb_controller", "used where it is mounted"));

    private final Imported imported = new Imported();

    private ImportContainerd() {}

    /** Translates a file. */
    public static Imported of(ForeignConfig file) {
        ImportContainerd importer = new ImportContainerd();
        file.values().forEach((key, value) -> importer.add(key, value, file));
        return importer.imported;
    }

    private void add(String key, Object value, ForeignConfig file) {
        Matcher cri = CRI.matcher(key);
        String inner = cri.matches() ? cri.group(1) : key;
        Matcher runtime = RUNTIME.matcher(inner);
        if (cri.matches() && runtime.matches()) {
            Object type = file.values().get(key.substring(0, key.length() - runtime.group(2).length()) + "runtime_type");
            if (type == null || type.equals("") || RUNC.contains(type)) {
                runtime(key, runtime.group(1), runtime.group(2), value);
            } else {
                shim(key, runtime.group(1), runtime.group(2), value);
            }
        } else if (isEmpty(value) && !inner.equals("enable_selinux")) {
            imported.unneeded(key, "it is empty");
        } else if (inner.equals("debug/level")) {
            imported.take(key, "debug.level", Map.of("fatal", "error", "panic", "error").getOrDefault(value, value.toString()));
        } else if (SAME.containsKey(inner)) {
            imported.take(key, SAME.get(inner), value);
        } else if (inner.equals("cni/bin_dir")) {
            imported.take(key, "runtime.cni.bin_dirs", List.of(value));
        } else if (inner.equals("stream_server_port")) {
            imported.take(key, "streaming.stream_server_port", Long.parseLong(value.toString()));
        } else if (UNNEEDED.containsKey(inner)) {
            imported.unneeded(key, UNNEEDED.get(inner));
        } else {
            imported.none(key, value, reason(inner));
        }
    }

    private void runtime(String key, String name, String part, Object value) {
        String ours = "runtime.runtimes." + name + ".";
        switch (part) {
            case "runtime_type" -> {
                imported.take(key, ours + "runtime_type", "oci");
                imported.taken().putIfAbsent(ours + "runtime_path", "runc");
            }
            case "options/BinaryName" -> {
                if (isEmpty(value)) {
                    imported.unneeded(key, "it is empty");
                } else {
                    imported.take(key, ours + "runtime_path", value);
                }
            }
            case "options/SystemdCgroup" -> imported.take(key, ours + "options.SystemdCgroup", value);
            case "privileged_without_host_devices", "privileged_without_host_devices_all_devices_allowed" ->
                imported.take(key, ours + part, value);
            case "pod_annotations", "container_annotations", "base_runtime_spec" -> {
                if (isEmpty(value)) {
                    imported.unneeded(key, "it is empty");
                } else {
                    imported.take(key, ours + part, value);
                }
            }
            default -> {
                if (isEmpty(value) || value.equals(0L)) {
                    imported.unneeded(key, "it says nothing");
                } else {
                    imported.none(key, value, "handlers of Berth do not have it");
                }
            }
        }
    }

    // The shim for runc is not needed; others, such as those of virtual machines, go on as they are.
    private void shim(String key, String name, String part, Object value) {
        String ours = "runtime.runtimes." + name + "." + part.replace('/', '.');
        switch (part) {
            case "runtime_type" -> {
                if (SHIM.matcher(value.toString()).matches()) {
                    imported.take(key, ours, value);
                } else {
                    imported.none(key, value, "Berth speaks version 2 of the protocol of shims only");
                }
            }
            case "runtime_path", "privileged_without_host_devices", "privileged_without_host_devices_all_devices_allowed",
                    "pod_annotations", "container_annotations", "base_runtime_spec", "options/TypeUrl", "options/ConfigPath",
                    "options/SystemdCgroup" -> {
                if (isEmpty(value)) {
                    imported.unneeded(key, "it is empty");
                } else {
                    imported.take(key, ours, value);
                }
            }
            default -> {
                if (isEmpty(value) || value.equals(0L)) {
                    imported.unneeded(key, "it says nothing");
                } else {
                    imported.none(key, value, "handlers of Berth do not have it");
                }
            }
        }
    }

    private static boolean isEmpty(Object value) {
        return value.equals("") || value instanceof List<?> list && list.isEmpty() || value.equals(false);
    }

    private static String reason(String inner) {
        if (inner.startsWith("registry/")) {
            return "move it to a hosts.toml below images.registry.config_path";
        }
        if (inner.endsWith("snapshotter")) {
            return "Berth has overlayfs only";
        }
        return inner.startsWith("plugins/") || inner.startsWith("proxy_plugins/") ? "Berth has no such plugin"
                : "Berth has no such setting";
    }
}
