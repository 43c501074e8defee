package io.berth.server.config;

import io.berth.base.RuntimeFault;
import io.berth.runtime.BaseSpec;
import io.berth.runtime.PassedAnnotations;
import io.berth.runtime.RuntimeHandler.Privileged;
import io.berth.server.config.Config.Handler;
import io.berth.server.config.Config.ShimOptions;
import io.berth.shim.ShimHandler;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** The keys of one runtime handler, below {@code [runtime.runtimes.NAME]}. */
final class HandlerKeys {

    private HandlerKeys() {}

    static Handler read(ConfigTable table, String name) {
        String prefix = "runtime.runtimes." + name + ".";
        String type = table.text(prefix + "runtime_type", "oci");
        boolean shim = !type.equals("oci");
        if (shim && !ShimHandler.isType(type)) {
            table.problem(prefix + "runtime_type = \"" + type + "\": oci or the name of a shim's runtime such as"
                    + " io.containerd.runc.v2 is needed");
        }
        return new Handler(type, table.text(prefix + "runtime_path", shim ? ShimHandler.program(type) : name),
                table.flag(prefix + "options.SystemdCgroup", false), privileged(table, prefix),
                table.texts(prefix + "options.arguments", List.of()), shim ? "" : table.text(prefix + "monitor_path", ""),
                new PassedAnnotations(patterns(table, prefix + "pod_annotations"),
                        patterns(table, prefix + "container_annotations")),
                baseSpec(table, prefix + "base_runtime_spec"), table.text(prefix + "snapshotter", ""), shim ? shimOptions(table, prefix + "options.") : ShimOptions.NONE);
    }

    private static Privileged privileged(ConfigTable table, String prefix) {
        boolean without = table.flag(prefix + "privileged_without_host_devices", false);
        boolean anyAllowed = table.flag(prefix + "privileged_without_host_devices_all_devices_allowed", false);
        if (anyAllowed && !without) {
            table.problem(prefix + "privileged_without_host_devices_all_devices_allowed = true: it has a meaning only with"
                    + " privileged_without_host_devices = true");
        }
        return !without ? Privileged.HOST_DEVICES : anyAllowed ? Privileged.ANY_ALLOWED : Privileged.NONE;
    }

    private static List<String> patterns(ConfigTable table, String key) {
        List<String> patterns = table.texts(key, List.of());
        patterns.stream().filter(pattern -> !PassedAnnotations.isPattern(pattern)).forEach(pattern -> table.problem(key
                + ": \"" + pattern + "\" is not the name of an annotation, in which * and ? may stand for what is not a slash"));
        return patterns;
    }

    private static Optional<BaseSpec> baseSpec(ConfigTable table, String key) {
        String file = table.text(key, "");
        if (file.isEmpty()) {
            return Optional.empty();
        }
        if (!file.startsWith("/")) {
            table.problem(key + " = \"" + file + "\": an absolute path is needed");
            return Optional.empty();
        }
        try {
            return Optional.of(BaseSpec.read(Path.of(file)));
        } catch (RuntimeFault fault) {
            table.problem(key + ": " + fault.getMessage());
            return Optional.empty();
        }
    }

    private static ShimOptions shimOptions(ConfigTable table, String prefix) {
        return new ShimOptions(table.text(prefix + "BinaryName", ""), table.flag(prefix + "NoPivotRoot", false),
                table.flag(prefix + "NoNewKeyring", false), table.text(prefix + "ShimCgroup", ""),
                table.text(prefix + "TypeUrl", ""), table.text(prefix + "ConfigPath", ""));
    }
}
