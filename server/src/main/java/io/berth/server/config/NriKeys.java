package io.berth.server.config;

import io.berth.server.config.Config.Nri;
import io.berth.server.config.Config.NriValidator;
import java.time.Duration;
import java.util.List;

/** The keys below {@code [nri]}, named as in containerd's {@code io.containerd.nri.v1.nri}. */
final class NriKeys {

    private NriKeys() {}

    static Nri read(ConfigTable table) {
        return new Nri(table.flag("nri.disable", false), table.path("nri.socket_path", "/var/run/nri/nri.sock"),
                table.path("nri.plugin_path", "/opt/nri/plugins"), table.path("nri.plugin_config_path", "/etc/nri/conf.d"),
                timeout(table, "nri.plugin_registration_timeout", "5s"), timeout(table, "nri.plugin_request_timeout", "2s"),
                table.flag("nri.disable_connections", false), validator(table, "nri.default_validator."));
    }

    // Without a limit a plugin that hangs would hold up every pod for ever.
    private static Duration timeout(ConfigTable table, String key, String fallback) {
        Duration timeout = table.duration(key, fallback);
        if (timeout.isNegative() || timeout.isZero()) {
            table.problem(key + " = \"" + timeout + "\": more than zero is needed");
        }
        return timeout;
    }

    private static NriValidator validator(ConfigTable table, String prefix) {
        return new NriValidator(table.flag(prefix + "enable", false),
                table.flag(prefix + "reject_oci_hook_adjustment", false),
                table.flag(prefix + "reject_runtime_default_seccomp_adjustment", false),
                table.flag(prefix + "reject_unconfined_seccomp_adjustment", false),
                table.flag(prefix + "reject_custom_seccomp_adjustment", false),
                table.flag(prefix + "reject_namespace_adjustment", false),
                table.flag(prefix + "reject_sysctl_adjustment", false),
                table.texts(prefix + "required_plugins", List.of()),
                table.text(prefix + "tolerate_missing_plugins_annotation", ""));
    }
}
