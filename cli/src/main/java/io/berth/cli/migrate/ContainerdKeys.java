package io.berth.cli.migrate;

import java.util.Map;
import java.util.regex.Pattern;

/**
 * What containerd's keys are here; those of its CRI plugins and of its servers without the plugin's name. Source: containerd
 * {@code docs/cri/config.md} and {@code containerd config default} of 1.6, 2.0 and 2.3.
 */
final class ContainerdKeys {

    private static final String OWN_PLACE = "Berth has directories and sockets of its own";
    private static final String NO_INFRA = "Berth needs no pause image";
    private static final String TOLD = "snapshotters below [proxy_plugins] are always told";
    private static final String NO_DECRYPTION = "Berth does not decrypt images";
    private static final String NRI = "plugins/io.containerd.nri.v1.nri/";
    private static final String TRACING = "plugins/io.containerd.internal.v1.tracing/";
    private static final String VERIFIER = "plugins/io.containerd.image-verifier.v1.bindir/";
    private static final String TRANSFER = "plugins/io.containerd.transfer.v1.local/";

    /** Parts that do for containerd what Berth does otherwise, with settings that nobody sees from outside. */
    static final Pattern MACHINERY = Pattern.compile("(?:plugins/io\\.containerd\\.(?:differ|gc|internal|metadata|metrics|monitor"
            + "|mount-handler|runtime|service|shim|snapshotter|transfer)\\.|timeouts/|ttrpc/|grpc-tcp/max_).*");

    /** Keys that mean the same. */
    static final Map<String, String> SAME = Map.ofEntries(
            Map.entry("grpc/uid", "grpc.uid"), Map.entry("grpc/gid", "grpc.gid"),
            Map.entry("grpc/max_recv_message_size", "grpc.max_recv_message_size"),
            Map.entry("debug/level", "debug.level"), Map.entry("debug/format", "debug.format"),
            Map.entry("metrics/address", "metrics.address"),
            Map.entry("stream_server_address", "streaming.stream_server_address"),
            Map.entry("stream_idle_timeout", "streaming.stream_idle_timeout"),
            Map.entry("enable_tls_streaming", "streaming.enable_tls_streaming"),
            Map.entry("x509_key_pair_streaming/tls_cert_file", "streaming.x509_key_pair_streaming.tls_cert_file"),
            Map.entry("x509_key_pair_streaming/tls_key_file", "streaming.x509_key_pair_streaming.tls_key_file"),
            Map.entry("enable_unprivileged_ports", "runtime.enable_unprivileged_ports"),
            Map.entry("enable_unprivileged_icmp", "runtime.enable_unprivileged_icmp"),
            Map.entry("restrict_oom_score_adj", "runtime.restrict_oom_score_adj"),
            Map.entry("unset_seccomp_profile", "runtime.unset_seccomp_profile"),
            Map.entry("cdi_spec_dirs", "runtime.cdi_spec_dirs"), Map.entry("enable_criu", "runtime.enable_criu_support"),
            Map.entry("enable_experimental_restore_via_create", "runtime.enable_checkpoint_images"),
            Map.entry("containerd/ignore_blockio_not_enabled_errors", "runtime.ignore_blockio_not_enabled_errors"),
            Map.entry("containerd/ignore_rdt_not_enabled_errors", "runtime.ignore_rdt_not_enabled_errors"),
            Map.entry("plugins/io.containerd.service.v1.tasks-service/blockio_config_file", "runtime.blockio_config_file"),
            Map.entry(NRI + "disable", "nri.disable"), Map.entry(NRI + "socket_path", "nri.socket_path"),
            Map.entry(NRI + "plugin_path", "nri.plugin_path"), Map.entry(NRI + "plugin_config_path", "nri.plugin_config_path"),
            Map.entry(NRI + "plugin_registration_timeout", "nri.plugin_registration_timeout"),
            Map.entry(NRI + "plugin_request_timeout", "nri.plugin_request_timeout"),
            Map.entry(NRI + "disable_connections", "nri.disable_connections"),
            Map.entry(TRACING + "service_name", "tracing.service_name"),
            Map.entry(TRACING + "sampling_ratio", "tracing.sampling_ratio"),
            Map.entry(TRACING + "trace_sampling_ratio", "tracing.sampling_ratio"),
            Map.entry("cni/conf_dir", "runtime.cni.conf_dir"), Map.entry("cni/bin_dirs", "runtime.cni.bin_dirs"),
            Map.entry("cni/max_conf_num", "runtime.cni.max_conf_num"),
            Map.entry("containerd/default_runtime_name", "runtime.default_runtime_name"),
            Map.entry("enable_selinux", "runtime.enable_selinux"),
            Map.entry("max_concurrent_downloads", "images.max_concurrent_downloads"),
            Map.entry("image_pull_progress_timeout", "images.image_pull_progress_timeout"),
            Map.entry("discard_unpacked_layers", "images.discard_unpacked_layers"),
            Map.entry("containerd/discard_unpacked_layers", "images.discard_unpacked_layers"),
            Map.entry("registry/config_path", "images.registry.config_path"),
            Map.entry(TRANSFER + "config_path", "images.registry.config_path"));

    /** The keys of the validator of NRI's adjustments have the same names in both. */
    static final String VALIDATOR = NRI + "default_validator/";

    /** Keys that Berth does not need. */
    static final Map<String, Known> KNOWN = Map.ofEntries(
            Map.entry("version", Known.always("Berth's file has one version")),
            Map.entry("imports", Known.always("those files were read, too")),
            Map.entry("root", Known.always(OWN_PLACE)), Map.entry("state", Known.always(OWN_PLACE)),
            Map.entry("temp", Known.always(OWN_PLACE)), Map.entry("grpc/address", Known.always(OWN_PLACE)),
            Map.entry("plugins/io.containerd.internal.v1.opt/path", Known.always("Berth installs no programs")),
            Map.entry("grpc/max_send_message_size", Known.always("Berth limits requests only")),
            Map.entry("debug/uid", Known.always("Berth has no debug socket")),
            Map.entry("debug/gid", Known.always("Berth has no debug socket")),
            Map.entry("sandbox_image", Known.always(NO_INFRA)), Map.entry("pinned_images/sandbox", Known.always(NO_INFRA)),
            Map.entry("enable_cdi", Known.where(true, "always on")),
            Map.entry("disable_tcp_service", Known.always("the streaming server listens on loopback only")),
            Map.entry("tolerate_missing_hugetlb_controller", Known.always("always tolerated")),
            Map.entry("disable_hugetlb_controller", Known.always("used where it is mounted")),
            Map.entry("netns_mounts_under_state_dir", Known.always(OWN_PLACE)),
            Map.entry("ignore_deprecation_warnings", Known.always("they are containerd's own")),
            Map.entry("disable_snapshot_annotations", Known.always(TOLD)),
            Map.entry("containerd/disable_snapshot_annotations", Known.always(TOLD)),
            Map.entry("stats_collect_period", Known.always("figures are read when they are asked for")),
            Map.entry("stats_retention_period", Known.always("figures are read when they are asked for")),
            Map.entry("selinux_category_range", Known.where(1024L, "it is Berth's range, too")),
            Map.entry("max_container_log_line_size",
                    Known.always("the monitor writes long lines in parts, which readers put together")),
            Map.entry("image_pull_with_sync_fs", Known.always("layers are synced before they are used")),
            Map.entry("use_local_image_pull", Known.always("Berth has one way to pull")),
            Map.entry("image_decryption/key_model", Known.where("node", NO_DECRYPTION)),
            Map.entry("concurrent_layer_fetch_buffer", Known.always("see images.max_concurrent_ranges")),
            Map.entry("cni/use_internal_loopback", Known.always("always so")),
            Map.entry("cni/ip_pref", Known.where("ipv4", "it is the default")),
            Map.entry(TRANSFER + "max_concurrent_downloads", Known.where(3L, "it is the default")),
            Map.entry(VERIFIER + "bin_dir", Known.where("/opt/containerd/image-verifier/bin",
                    "where programs are in it, see images.registry.policy_file and extensions")),
            Map.entry(VERIFIER + "max_verifiers", Known.always("it is for the programs in bin_dir")),
            Map.entry(VERIFIER + "per_verifier_timeout", Known.always("it is for the programs in bin_dir")));

    /** Keys of a runtime handler that Berth does not need. */
    static final Map<String, Known> OF_HANDLER = Map.of(
            "sandboxer", Known.where("podsandbox", "it is the default"),
            "sandbox_mode", Known.where("podsandbox", "it is the default"));

    private ContainerdKeys() {}

    /** Why a key without counterpart is missed. */
    static String lost(String key) {
        if (key.startsWith("registry/")) {
            return "move it to a hosts.toml below images.registry.config_path";
        }
        if (key.startsWith("stream_processors/") || key.startsWith("image_decryption/")) {
            return NO_DECRYPTION;
        }
        return switch (key) {
            case "oom_score" -> "say it in the unit: OOMScoreAdjust of berth.service";
            case "enable_cdi" -> "with runtime.cdi_spec_dirs = [] there are no devices by name";
            case TRANSFER + "max_concurrent_downloads" -> "it is images.max_concurrent_downloads here";
            case "plugins/io.containerd.service.v1.tasks-service/rdt_config_file" -> "classes are the groups in /sys/fs/resctrl";
            default -> key.startsWith("plugins/") || key.startsWith("proxy_plugins/") ? "Berth has no such plugin"
                    : "Berth has no such setting";
        };
    }
}
