package io.berth.cli.migrate;

import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/** CRI-O's {@code crio.conf} and its drop-ins. */
public final class ImportCrio {

    private static final String CRIO = "crio/";
    private static final Pattern RUNTIME = Pattern.compile("runtime/runtimes/([^/]+)/(.*)");
    private static final Pattern SHIM = Pattern.compile("containerd-shim-(.+)-v2");
    private static final String SAID = " (CRI-O's default: the file does not say)";
    private static final String DEFAULT_RUNTIME = "crun";
    private static final Map<String, String> LEVELS = Map.of("warning", "warn", "fatal", "error", "panic", "error");

    /** What a container of CRI-O may do without asking for it. */
    private static final List<String> CAPABILITIES = List.of("CHOWN", "DAC_OVERRIDE", "FSETID", "FOWNER", "SETGID", "SETUID",
            "SETPCAP", "NET_BIND_SERVICE", "KILL");

    /** The same of Berth. */
    static final Set<String> OURS = Set.of("CHOWN", "DAC_OVERRIDE", "FSETID", "FOWNER", "MKNOD", "NET_RAW", "SETGID", "SETUID",
            "SETFCAP", "SETPCAP", "NET_BIND_SERVICE", "SYS_CHROOT", "KILL", "AUDIT_WRITE");

    private final Imported imported = new Imported();
    private final ForeignConfig file;

    private ImportCrio(ForeignConfig file) {
        this.file = file;
    }

    /** Translates a file. */
    public static Imported of(ForeignConfig file) {
        ImportCrio importer = new ImportCrio(file);
        Set<String> handlers = new TreeSet<>();
        file.values().forEach((key, value) -> {
            String inner = key.startsWith(CRIO) ? key.substring(CRIO.length()) : key;
            Matcher runtime = RUNTIME.matcher(inner);
            if (runtime.matches()) {
                handlers.add(runtime.group(1));
                importer.runtime(key, runtime.group(1), runtime.group(2), value);
            } else {
                importer.add(key, inner, value);
            }
        });
        importer.unsaid(handlers);
        return importer.imported;
    }

    private Object said(String key, Object otherwise) {
        return file.values().getOrDefault(CRIO + key, otherwise);
    }

    private void add(String key, String inner, Object value) {
        if (Known.isEmpty(value) && !inner.equals("runtime/cdi_spec_dirs")) {
            imported.unneeded(key, "it is empty");
            return;
        }
        switch (inner) {
            case "runtime/log_level" -> imported.take(key, "debug.level", LEVELS.getOrDefault(value, value.toString()));
            case "api/stream_port" ->
                imported.take(key, "streaming.stream_server_port", Long.parseLong(value.toString()));
            case "runtime/enable_criu_support" -> {
                imported.take(key, "runtime.enable_criu_support", value);
                imported.take(key + " (CRI-O restores images with it, too)", "runtime.enable_checkpoint_images", value);
            }
            case "nri/enable_nri" -> imported.take(key, "nri.disable", !value.equals(true));
            case "runtime/cgroup_manager", "runtime/default_capabilities" -> { }
            case "metrics/enable_metrics" -> metrics(key, value);
            case "tracing/tracing_sampling_rate_per_million" ->
                imported.take(key, "tracing.sampling_ratio", ((Number) value).doubleValue() / 1e6);
            case "tracing/tracing_endpoint" -> {
                if (said("tracing/enable_tracing", false).equals(true)) {
                    imported.none(key, value, CrioKeys.lost(inner));
                } else {
                    imported.unneeded(key, "nothing is traced");
                }
            }
            default -> {
                if (CrioKeys.SAME.containsKey(inner)) {
                    imported.take(key, CrioKeys.SAME.get(inner), value);
                } else {
                    Known.report(imported, CrioKeys.KNOWN, inner, key, value, CrioKeys.lost(inner));
                }
            }
        }
    }

    private void metrics(String key, Object value) {
        if (value.equals(true)) {
            imported.take(key, "metrics.address", said("metrics/metrics_host", "127.0.0.1") + ":"
                    + said("metrics/metrics_port", 9090L));
        } else {
            imported.unneeded(key, "it is off");
        }
    }

    // crio config writes what is the default as a comment: what a file does not say holds, too, where it is not Berth's default.
    private void unsaid(Set<String> handlers) {
        String runtime = said("runtime/default_runtime", DEFAULT_RUNTIME).toString();
        if (!imported.taken().containsKey("runtime.default_runtime_name")) {
            imported.take("crio/runtime/default_runtime" + SAID, "runtime.default_runtime_name", runtime);
        }
        Set<String> all = new TreeSet<>(handlers);
        all.add(runtime);
        boolean told = file.values().containsKey("crio/runtime/cgroup_manager");
        // CRI-O has one manager of cgroups, Berth asks each handler.
        boolean systemd = said("runtime/cgroup_manager", "systemd").equals("systemd");
        all.forEach(handler -> imported.take("crio/runtime/cgroup_manager" + (told ? "" : SAID), "runtime.runtimes." + handler
                + ".options.SystemdCgroup", systemd));
        capabilities();
    }

    private void capabilities() {
        String key = "runtime/default_capabilities";
        boolean told = file.values().containsKey(CRIO + key);
        Object theirs = said(key, CAPABILITIES);
        Set<String> their = theirs instanceof List<?> list ? list.stream().map(Object::toString).collect(Collectors.toSet())
                : Set.of();
        Set<String> more = new TreeSet<>(OURS);
        more.removeAll(their);
        Set<String> less = new TreeSet<>(their);
        less.removeAll(OURS);
        if (more.isEmpty() && less.isEmpty()) {
            imported.unneeded(CRIO + key, "they are Berth's, too");
        } else {
            imported.none(CRIO + key + (told ? "" : SAID), theirs, "containers that do not say otherwise have "
                    + (more.isEmpty() ? "" : "also " + String.join(", ", more)) + (more.isEmpty() || less.isEmpty() ? "" : " and ")
                    + (less.isEmpty() ? "" : "not " + String.join(", ", less)) + ": pods say so in securityContext.capabilities");
        }
    }

    private void runtime(String key, String name, String part, Object value) {
        String ours = "runtime.runtimes." + name + ".";
        if (Known.isEmpty(value)) {
            imported.unneeded(key, "it is empty");
            return;
        }
        switch (part) {
            case "runtime_path", "privileged_without_host_devices" -> imported.take(key, ours + part, value);
            case "runtime_config_path" -> imported.take(key, ours + "options.ConfigPath", value);
            case "monitor_path" -> {
                if (value.toString().endsWith("conmonrs")) {
                    imported.unneeded(key, "Berth's monitor is conmon");
                } else {
                    imported.take(key, ours + part, value);
                }
            }
            case "runtime_type" -> type(key, name, value);
            case "inherit_default_runtime" -> {
                if (value.equals(true)) {
                    imported.none(key, value, "name its runtime_path");
                } else {
                    imported.unneeded(key, "it is off");
                }
            }
            default -> Known.report(imported, CrioKeys.OF_HANDLER, part, key, value, "handlers of Berth do not have it");
        }
    }

    private void type(String key, String name, Object value) {
        Matcher shim = SHIM.matcher(said("runtime/runtimes/" + name + "/runtime_path", "").toString().replaceAll(".*/", ""));
        switch (value.toString()) {
            case "oci" -> imported.unneeded(key, "it is the default");
            case "pod" -> imported.unneeded(key, "each container has a monitor");
            case "vm" -> {
                if (shim.matches()) {
                    imported.take(key, "runtime.runtimes." + name + ".runtime_type", "io.containerd." + shim.group(1) + ".v2");
                } else {
                    imported.none(key, value, "name the shim's runtime, such as io.containerd.kata.v2");
                }
            }
            default -> imported.none(key, value, "Berth knows oci and shims");
        }
    }
}
