package io.berth.cli.migrate;

import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** CRI-O's {@code crio.conf} or one of its drop-ins. Source: CRI-O {@code docs/crio.conf.5.md}. */
public final class ImportCrio {

    private static final Pattern RUNTIME = Pattern.compile("crio/runtime/runtimes/([^/]+)/(.*)");
    private static final String OWN_PLACE = "Berth has directories and sockets of its own";
    private static final String NO_INFRA = "Berth needs no pause container";

    private static final Map<String, String> SAME = Map.ofEntries(
            Map.entry("crio/api/stream_address", "streaming.stream_server_address"),
            Map.entry("crio/api/stream_idle_timeout", "streaming.stream_idle_timeout"),
            Map.entry("crio/api/grpc_max_recv_msg_size", "grpc.max_recv_message_size"),
            Map.entry("crio/runtime/default_runtime", "runtime.default_runtime_name"),
            Map.entry("crio/runtime/conmon", "runtime.conmon"),
            Map.entry("crio/runtime/cdi_spec_dirs", "runtime.cdi_spec_dirs"),
            Map.entry("crio/runtime/selinux", "runtime.enable_selinux"),
            Map.entry("crio/network/network_dir", "runtime.cni.conf_dir"),
            Map.entry("crio/network/plugin_dirs", "runtime.cni.bin_dirs"),
            Map.entry("crio/image/pinned_images", "images.pinned_images"));

    private static final Map<String, String> UNNEEDED = Map.ofEntries(
            Map.entry("crio/root", OWN_PLACE), Map.entry("crio/runroot", OWN_PLACE), Map.entry("crio/api/listen", OWN_PLACE),
            Map.entry("crio/storage_driver", "overlay is the only one"), Map.entry("crio/version_file", OWN_PLACE),
            Map.entry("crio/clean_shutdown_file", OWN_PLACE), Map.entry("crio/internal_wipe", "Berth compares with the machine"),
            Map.entry("crio/image/pause_image", NO_INFRA), Map.entry("crio/image/pause_command", NO_INFRA),
            Map.entry("crio/runtime/drop_infra_ctr", NO_INFRA), Map.entry("crio/runtime/pinns_path", "done in the daemon"),
            Map.entry("crio/runtime/namespaces_dir", OWN_PLACE), Map.entry("crio/runtime/container_exits_dir", OWN_PLACE),
            Map.entry("crio/runtime/enable_pod_events", "always on"), Map.entry("crio/runtime/no_pivot", "it is the default"),
            Map.entry("crio/runtime/conmon_cgroup", "monitors live in the pod's cgroup"));

    private static final Map<String, String> LEVELS = Map.of("warning", "warn", "fatal", "error", "panic", "error");

    private final Imported imported = new Imported();

    private ImportCrio() {}

    /** Translates a file. */
    public static Imported of(ForeignConfig file) {
        ImportCrio importer = new ImportCrio();
        Set<String> handlers = new TreeSet<>();
        file.values().forEach((key, value) -> {
            Matcher runtime = RUNTIME.matcher(key);
            if (runtime.matches()) {
                handlers.add(runtime.group(1));
                importer.runtime(key, runtime.group(1), runtime.group(2), value);
            } else {
                importer.add(key, value);
            }
        });
        importer.cgroups(file, handlers);
        return importer.imported;
    }

    private void add(String key, Object value) {
        if (isEmpty(value)) {
            imported.unneeded(key, "it says nothing");
        } else if (key.equals("crio/runtime/log_level")) {
            imported.take(key, "debug.level", LEVELS.getOrDefault(value, value.toString()));
        } else if (key.equals("crio/api/stream_port")) {
            imported.take(key, "streaming.stream_server_port", Long.parseLong(value.toString()));
        } else if (SAME.containsKey(key)) {
            imported.take(key, SAME.get(key), value);
        } else if (UNNEEDED.containsKey(key)) {
            imported.unneeded(key, UNNEEDED.get(key));
        } else if (!key.equals("crio/runtime/cgroup_manager")) {
            imported.none(key, value, key.startsWith("crio/image/") ? "registries are set up in images.registry.config_path"
                    : "Berth has no such setting");
        }
    }

    // CRI-O has one cgroup manager, Berth asks each handler; CRI-O's default is systemd.
    private void cgroups(ForeignConfig file, Set<String> handlers) {
        Object manager = file.values().get("crio/runtime/cgroup_manager");
        if (manager == null) {
            return;
        }
        Set<String> all = handlers.isEmpty()
                ? Set.of(file.values().getOrDefault("crio/runtime/default_runtime", "crun").toString()) : handlers;
        all.forEach(handler -> imported.take("crio/runtime/cgroup_manager", "runtime.runtimes." + handler
                + ".options.SystemdCgroup", manager.equals("systemd")));
    }

    private void runtime(String key, String name, String part, Object value) {
        String ours = "runtime.runtimes." + name + ".";
        switch (part) {
            case "runtime_path" -> {
                if (isEmpty(value)) {
                    imported.unneeded(key, "it is looked for in PATH");
                } else {
                    imported.take(key, ours + "runtime_path", value);
                }
            }
            case "runtime_type" -> {
                if (value.equals("oci") || value.equals("")) {
                    imported.unneeded(key, "it is the default");
                } else {
                    imported.none(key, value, "a handler of Berth names the shim's runtime, such as io.containerd.kata.v2");
                }
            }
            case "runtime_root", "monitor_path", "monitor_cgroup" -> imported.unneeded(key, OWN_PLACE);
            case "privileged_without_host_devices" -> imported.take(key, ours + "privileged_without_host_devices", value);
            default -> {
                if (isEmpty(value)) {
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
}
