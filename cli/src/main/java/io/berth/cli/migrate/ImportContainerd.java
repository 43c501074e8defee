package io.berth.cli.migrate;

import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** containerd's {@code config.toml}, versions 2 to 4. */
public final class ImportContainerd {

    // Version 2 has one CRI plugin, version 3 one for the runtime and one for images.
    private static final Pattern CRI = Pattern.compile(
            "plugins/io\\.containerd\\.(?:grpc\\.v1\\.cri|cri\\.v1\\.(?:runtime|images))/(.*)");
    private static final Pattern RUNTIME = Pattern.compile("containerd/runtimes/([^/]+)/(.*)");
    private static final Set<String> RUNC = Set.of("io.containerd.runc.v2", "io.containerd.runc.v1");
    /** The number is the shim's own: gVisor's, which ends with 1, speaks version 2 of the protocol too. */
    private static final Pattern SHIM = Pattern.compile("[A-Za-z0-9_.-]+\\.v[0-9]+");
    private static final String NO_HANDLER_KEY = "handlers of Berth do not have it";
    private static final String SERVER = "plugins/io.containerd.server.v1.";
    private static final String OTLP = "plugins/io.containerd.tracing.processor.v1.otlp/";
    private static final String DECODER = "stream_processors/io.containerd.ocicrypt.decoder.";
    private static final String DEFAULT_RUNTIME = "runtime.default_runtime_name";

    private final Imported imported = new Imported();

    private ImportContainerd() {}

    /** Translates a file. */
    public static Imported of(ForeignConfig file) {
        ImportContainerd importer = new ImportContainerd();
        file.values().forEach((key, value) -> importer.add(key, value, file));
        importer.defaultRuntime();
        return importer.imported;
    }

    private void add(String key, Object value, ForeignConfig file) {
        Matcher cri = CRI.matcher(key);
        // Version 4 has its servers among the plugins, those before have them beside.
        String inner = cri.matches() ? cri.group(1) : key.startsWith(SERVER) ? key.substring(SERVER.length()) : key;
        Matcher runtime = RUNTIME.matcher(inner);
        if (new ImportSnapshotters(file, imported).add(key, inner, value)) {
            return;
        }
        if (cri.matches() && runtime.matches()) {
            Object type = file.values().get(key.substring(0, key.length() - runtime.group(2).length()) + "runtime_type");
            if (type == null || type.equals("") || RUNC.contains(type)) {
                runtime(key, runtime.group(1), runtime.group(2), value);
            } else {
                shim(key, runtime.group(1), runtime.group(2), value);
            }
        } else if (Known.isEmpty(value) && !inner.equals("cdi_spec_dirs")) {
            imported.unneeded(key, "it is empty");
        } else {
            setting(key, inner, value, file);
        }
    }

    private void setting(String key, String inner, Object value, ForeignConfig file) {
        if (inner.equals("debug/level")) {
            imported.take(key, "debug.level", Map.of("fatal", "error", "panic", "error").getOrDefault(value, value.toString()));
        } else if (ContainerdKeys.SAME.containsKey(inner)) {
            imported.take(key, ContainerdKeys.SAME.get(inner), value);
        } else if (inner.startsWith(ContainerdKeys.VALIDATOR)) {
            imported.take(key, "nri.default_validator." + inner.substring(ContainerdKeys.VALIDATOR.length()), value);
        } else if (inner.equals("cni/bin_dir")) {
            imported.take(key, "runtime.cni.bin_dirs", List.of(value));
        } else if (inner.equals("stream_server_port")) {
            imported.take(key, "streaming.stream_server_port", Long.parseLong(value.toString()));
        } else if (inner.startsWith(OTLP)) {
            traces(key, value, file);
        } else if (inner.startsWith(DECODER)) {
            imported.unneeded(key, "Berth does not decrypt images");
        } else if (ContainerdKeys.MACHINERY.matcher(inner).matches() && !inner.endsWith("/rdt_config_file")
                && !ContainerdKeys.KNOWN.containsKey(inner)) {
            imported.unneeded(key, "a part of containerd that Berth does not have");
        } else {
            Known.report(imported, ContainerdKeys.KNOWN, inner, key, value, ContainerdKeys.lost(inner));
        }
    }

    private void traces(String key, Object value, ForeignConfig file) {
        boolean http = "http/protobuf".equals(file.values().get(OTLP + "protocol"));
        if (http && key.equals(OTLP + "endpoint")) {
            imported.take(key, "tracing.otlp_endpoint", value);
        } else if (http && key.equals(OTLP + "protocol")) {
            imported.unneeded(key, "Berth has no other");
        } else {
            Known.report(imported, Map.of(), key, key, value, "Berth sends OTLP over HTTP: name that port of the collector as"
                    + " tracing.otlp_endpoint");
        }
    }

    // What a file does not say holds, too: without a name it is runc, which need not be among the file's handlers.
    private void defaultRuntime() {
        String said = " (containerd's default: the file does not say)";
        if (imported.taken().putIfAbsent(DEFAULT_RUNTIME, "runc") == null) {
            imported.take("containerd/default_runtime_name" + said, DEFAULT_RUNTIME, "runc");
        }
        boolean handlers = imported.taken().keySet().stream().anyMatch(key -> key.startsWith("runtime.runtimes."));
        if (handlers && imported.taken().keySet().stream().noneMatch(key -> key.startsWith("runtime.runtimes.runc."))) {
            imported.take("containerd/runtimes/runc" + said, "runtime.runtimes.runc.runtime_path", "runc");
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
                if (Known.isEmpty(value)) {
                    imported.unneeded(key, "it is empty");
                } else {
                    imported.take(key, ours + "runtime_path", value);
                }
            }
            case "options/SystemdCgroup" -> imported.take(key, ours + "options.SystemdCgroup", value);
            case "privileged_without_host_devices", "privileged_without_host_devices_all_devices_allowed" ->
                imported.take(key, ours + part, value);
            case "pod_annotations", "container_annotations", "base_runtime_spec" -> {
                if (Known.isEmpty(value)) {
                    imported.unneeded(key, "it is empty");
                } else {
                    imported.take(key, ours + part, value);
                }
            }
            default -> Known.report(imported, ContainerdKeys.OF_HANDLER, part, key, value, NO_HANDLER_KEY);
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
                if (Known.isEmpty(value)) {
                    imported.unneeded(key, "it is empty");
                } else {
                    imported.take(key, ours, value);
                }
            }
            default -> Known.report(imported, ContainerdKeys.OF_HANDLER, part, key, value, NO_HANDLER_KEY);
        }
    }
}
