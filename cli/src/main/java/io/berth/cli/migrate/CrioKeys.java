package io.berth.cli.migrate;

import java.util.Map;

/** What CRI-O's keys are here, without {@code crio/} in front. Source: CRI-O {@code docs/crio.conf.5.md} and {@code crio config}. */
final class CrioKeys {

    private static final String OWN_PLACE = "Berth has directories and sockets of its own";
    private static final String NO_INFRA = "Berth needs no pause container";
    private static final String NO_DECRYPTION = "Berth does not decrypt images";
    private static final String ON_DEMAND = "figures are read when they are asked for";
    private static final String VALIDATOR = "nri/default_validator/nri_";

    /** Keys that mean the same. */
    static final Map<String, String> SAME = Map.ofEntries(
            Map.entry("api/stream_address", "streaming.stream_server_address"),
            Map.entry("api/stream_idle_timeout", "streaming.stream_idle_timeout"),
            Map.entry("api/stream_enable_tls", "streaming.enable_tls_streaming"),
            Map.entry("api/stream_tls_cert", "streaming.x509_key_pair_streaming.tls_cert_file"),
            Map.entry("api/stream_tls_key", "streaming.x509_key_pair_streaming.tls_key_file"),
            Map.entry("api/grpc_max_recv_msg_size", "grpc.max_recv_message_size"),
            Map.entry("runtime/default_runtime", "runtime.default_runtime_name"),
            Map.entry("runtime/conmon", "runtime.conmon"), Map.entry("runtime/cdi_spec_dirs", "runtime.cdi_spec_dirs"),
            Map.entry("runtime/selinux", "runtime.enable_selinux"), Map.entry("runtime/hooks_dir", "runtime.hooks_dir"),
            Map.entry("runtime/blockio_config_file", "runtime.blockio_config_file"),
            Map.entry("network/network_dir", "runtime.cni.conf_dir"),
            Map.entry("network/plugin_dirs", "runtime.cni.bin_dirs"),
            Map.entry("image/pinned_images", "images.pinned_images"),
            Map.entry("image/global_auth_file", "images.registry.credentials_file"),
            Map.entry("image/signature_policy", "images.registry.policy_file"),
            Map.entry("image/pull_progress_timeout", "images.image_pull_progress_timeout"),
            Map.entry("nri/nri_listen", "nri.socket_path"), Map.entry("nri/nri_plugin_dir", "nri.plugin_path"),
            Map.entry("nri/nri_plugin_config_dir", "nri.plugin_config_path"),
            Map.entry("nri/nri_disable_connections", "nri.disable_connections"),
            Map.entry("nri/nri_plugin_registration_timeout", "nri.plugin_registration_timeout"),
            Map.entry("nri/nri_plugin_request_timeout", "nri.plugin_request_timeout"),
            Map.entry(VALIDATOR + "enable_default_validator", "nri.default_validator.enable"),
            Map.entry(VALIDATOR + "validator_reject_oci_hook_adjustment",
                    "nri.default_validator.reject_oci_hook_adjustment"),
            Map.entry(VALIDATOR + "validator_reject_runtime_default_seccomp_adjustment",
                    "nri.default_validator.reject_runtime_default_seccomp_adjustment"),
            Map.entry(VALIDATOR + "validator_reject_unconfined_seccomp_adjustment",
                    "nri.default_validator.reject_unconfined_seccomp_adjustment"),
            Map.entry(VALIDATOR + "validator_reject_custom_seccomp_adjustment",
                    "nri.default_validator.reject_custom_seccomp_adjustment"),
            Map.entry(VALIDATOR + "validator_reject_namespace_adjustment",
                    "nri.default_validator.reject_namespace_adjustment"),
            Map.entry(VALIDATOR + "validator_required_plugins", "nri.default_validator.required_plugins"),
            Map.entry(VALIDATOR + "validator_tolerate_missing_plugins_annotation",
                    "nri.default_validator.tolerate_missing_plugins_annotation"));

    /** Keys that Berth does not need. */
    static final Map<String, Known> KNOWN = Map.ofEntries(
            Map.entry("root", Known.always(OWN_PLACE)), Map.entry("runroot", Known.always(OWN_PLACE)),
            Map.entry("imagestore", Known.always(OWN_PLACE)), Map.entry("version_file", Known.always(OWN_PLACE)),
            Map.entry("version_file_persist", Known.always(OWN_PLACE)),
            Map.entry("clean_shutdown_file", Known.always(OWN_PLACE)),
            Map.entry("storage_driver", Known.where("overlay", "overlay is the only one")),
            Map.entry("log_dir", Known.always("the kubelet names the place of each log")),
            Map.entry("internal_wipe", Known.always("Berth compares with the machine")),
            Map.entry("internal_repair", Known.always("Berth compares with the machine")),
            Map.entry("oci_artifact_mount_support", Known.where(true, "always on")),
            Map.entry("api/listen", Known.always(OWN_PLACE)),
            Map.entry("api/grpc_max_send_msg_size", Known.always("Berth limits requests only")),
            Map.entry("runtime/drop_infra_ctr", Known.always(NO_INFRA)),
            Map.entry("runtime/infra_ctr_cpuset", Known.always(NO_INFRA)),
            Map.entry("runtime/pinns_path", Known.always("done in the daemon")),
            Map.entry("runtime/manage_ns_lifecycle", Known.where(true, "always so")),
            Map.entry("runtime/namespaces_dir", Known.always(OWN_PLACE)),
            Map.entry("runtime/container_exits_dir", Known.always(OWN_PLACE)),
            Map.entry("runtime/container_attach_socket_dir", Known.always(OWN_PLACE)),
            Map.entry("runtime/enable_pod_events", Known.always("always on")),
            Map.entry("runtime/no_pivot", Known.where(false, "it is the default")),
            Map.entry("runtime/conmon_cgroup", Known.always("monitors live in the pod's cgroup")),
            Map.entry("runtime/decryption_keys_path", Known.where("/etc/crio/keys/", NO_DECRYPTION)),
            Map.entry("runtime/apparmor_profile", Known.where("crio-default", "Berth has a default profile of its own")),
            Map.entry("runtime/irqbalance_config_file", Known.where("/etc/sysconfig/irqbalance", "it is the default")),
            Map.entry("runtime/irqbalance_config_restore_file",
                    Known.where("/etc/sysconfig/orig_irq_banned_cpus", "it is the default")),
            Map.entry("runtime/pids_limit", Known.where(-1L, "there is no limit")),
            Map.entry("runtime/log_size_max", Known.where(-1L, "there is no limit")),
            Map.entry("runtime/minimum_mappable_uid", Known.where(-1L, "there is no limit")),
            Map.entry("runtime/minimum_mappable_gid", Known.where(-1L, "there is no limit")),
            Map.entry("runtime/ctr_stop_timeout", Known.always("the kubelet says how long")),
            Map.entry("image/default_transport", Known.where("docker://", "it is the only one")),
            Map.entry("image/pause_image", Known.always(NO_INFRA)), Map.entry("image/pause_command", Known.always(NO_INFRA)),
            Map.entry("image/pause_image_auth_file", Known.always(NO_INFRA)),
            Map.entry("image/image_volumes", Known.where("mkdir", "always so")),
            Map.entry("image/signature_policy_dir", Known.where("/etc/crio/policies",
                    "where policies are in it: Berth has one for all namespaces, images.registry.policy_file")),
            Map.entry("image/auto_reload_registries", Known.always("registries.conf is read anew for each pull")),
            Map.entry("image/big_files_temporary_dir", Known.always(OWN_PLACE)),
            Map.entry("metrics/metrics_collectors", Known.always("all metrics are served")),
            Map.entry("metrics/metrics_host", Known.always("it goes with enable_metrics")),
            Map.entry("metrics/metrics_port", Known.always("it goes with enable_metrics")),
            Map.entry("stats/stats_collection_period", Known.always(ON_DEMAND)),
            Map.entry("stats/collection_period", Known.always(ON_DEMAND)));

    /** Keys of a runtime handler that Berth does not need. */
    static final Map<String, Known> OF_HANDLER = Map.ofEntries(
            Map.entry("runtime_root", Known.always(OWN_PLACE)),
            Map.entry("monitor_cgroup", Known.always("monitors live in the pod's cgroup")),
            Map.entry("monitor_env", Known.always("monitors get what they need")),
            Map.entry("container_min_memory", Known.where("12MiB", "the kernel says what is too little")),
            Map.entry("stream_websockets", Known.always("always on")),
            Map.entry("no_sync_log", Known.always("the monitor decides")));

    private CrioKeys() {}

    /** Why a key without counterpart is missed. */
    static String lost(String key) {
        return switch (key) {
            case "runtime/pids_limit" -> "say it to the kubelet: podPidsLimit";
            case "runtime/log_size_max" -> "say it to the kubelet: containerLogMaxSize";
            case "runtime/rdt_config_file" -> "classes are the groups in /sys/fs/resctrl";
            case "runtime/decryption_keys_path" -> NO_DECRYPTION;
            case "network/cni_default_network" -> "the first file of runtime.cni.conf_dir is the one";
            case "tracing/enable_tracing", "tracing/tracing_endpoint" ->
                "Berth sends OTLP over HTTP: name that port of the collector as tracing.otlp_endpoint";
            default -> key.startsWith("image/") ? "registries are set up in images.registry.config_path or registries_file"
                    : "Berth has no such setting";
        };
    }
}
