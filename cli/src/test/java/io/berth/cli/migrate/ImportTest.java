package io.berth.cli.migrate;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.berth.runtime.Capabilities;
import io.berth.server.config.ConfigFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tomlj.Toml;

/** Files as nodes have them, and what Berth makes of them. What comes out must be a configuration that Berth accepts. */
class ImportTest {

    @TempDir
    private Path directory;

    private Map<String, Object> accepted(Imported imported) throws IOException {
        Path file = Files.writeString(directory.resolve("config.toml"), imported.toml("theirs"));
        return ConfigFile.load(Optional.of(file), Map.of()).effective();
    }

    private static void assertReported(Imported imported, String words) {
        assertTrue(imported.report().stream().anyMatch(line -> line.contains(words)), () -> words + " is not in "
                + String.join("\n", imported.report()));
    }

    @Test
    void containerdsVersionTwoIsTranslated() throws IOException {
        Imported imported = ImportContainerd.of(ForeignConfig.parse(Toml.parse("""
                version = 2
                root = "/var/lib/containerd"
                [debug]
                level = "fatal"
                [plugins."io.containerd.grpc.v1.cri"]
                sandbox_image = "registry.k8s.io/pause:3.8"
                enable_unprivileged_icmp = true
                stream_server_port = "10010"
                enable_selinux = false
                [plugins."io.containerd.grpc.v1.cri".cni]
                bin_dir = "/opt/cni/bin"
                conf_template = "/etc/t"
                [plugins."io.containerd.grpc.v1.cri".registry]
                config_path = "/etc/containerd/certs.d"
                [plugins."io.containerd.grpc.v1.cri".registry.mirrors."docker.io"]
                endpoint = ["https://mirror.example.com"]
                [plugins."io.containerd.grpc.v1.cri".containerd]
                snapshotter = "zfs"
                default_runtime_name = "runc"
                [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
                runtime_type = "io.containerd.runc.v2"
                [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
                SystemdCgroup = true
                [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.kata]
                runtime_type = "io.containerd.kata.v2"
                pod_annotations = ["io.katacontainers.*"]
                [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.kata.options]
                ConfigPath = "/opt/kata/configuration.toml"
                [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.gvisor]
                runtime_type = "io.containerd.runsc.v1"
                [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.gvisor.options]
                TypeUrl = "io.containerd.runsc.v1.options"
                ConfigPath = "/etc/containerd/runsc.toml"
                [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.old]
                runtime_type = "io.containerd.runtime.v1.linux"
                [plugins."io.containerd.nri.v1.nri"]
                socket_path = "/run/nri.sock"
                plugin_request_timeout = "3s"
                """), "theirs"));
        Map<String, Object> ours = accepted(imported);
        assertEquals("error", ours.get("debug.level"));
        assertEquals("/var/lib/berth", ours.get("root"));
        assertEquals(10010L, ours.get("streaming.stream_server_port"));
        assertEquals(true, ours.get("runtime.runtimes.runc.options.SystemdCgroup"));
        assertEquals("runc", ours.get("runtime.runtimes.runc.runtime_path"));
        assertEquals(false, ours.get("runtime.enable_selinux"));
        assertEquals("io.containerd.kata.v2", ours.get("runtime.runtimes.kata.runtime_type"));
        assertEquals("/opt/kata/configuration.toml", ours.get("runtime.runtimes.kata.options.ConfigPath"));
        assertEquals("io.containerd.runsc.v1", ours.get("runtime.runtimes.gvisor.runtime_type"));
        assertEquals("/etc/containerd/runsc.toml", ours.get("runtime.runtimes.gvisor.options.ConfigPath"));
        assertEquals("[io.katacontainers.*]", ours.get("runtime.runtimes.kata.pod_annotations").toString());
        assertEquals("/run/nri.sock", ours.get("nri.socket_path"));
        assertEquals("3s", ours.get("nri.plugin_request_timeout"));
        assertEquals("/etc/containerd/certs.d", ours.get("images.registry.config_path"));
        assertEquals("[/opt/cni/bin]", ours.get("runtime.cni.bin_dirs").toString());
        assertReported(imported, "sandbox_image: Berth needs no pause image");
        for (String lost : new String[] {"conf_template = \"/etc/t\"", "mirrors/docker.io/endpoint", "snapshotter = \"zfs\"",
            "old/runtime_type = \"io.containerd.runtime.v1.linux\""}) {
            assertTrue(imported.report().stream().anyMatch(line -> line.startsWith("NO COUNTERPART") && line.contains(lost)),
                    () -> lost + " is not in " + String.join("\n", imported.report()));
        }
    }

    @Test
    void containerdsSnapshottersThatAreProgramsAreTaken() throws IOException {
        Imported imported = containerd("""
                version = 3
                [plugins.'io.containerd.cri.v1.images']
                snapshotter = 'stargz'
                disable_snapshot_annotations = false
                [plugins.'io.containerd.cri.v1.images'.runtime_platforms.kata]
                snapshotter = 'nydus'
                [plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.crun]
                runtime_type = 'io.containerd.runc.v2'
                snapshotter = 'overlayfs'
                [plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.kata]
                runtime_type = 'io.containerd.kata.v2'
                [proxy_plugins.stargz]
                type = 'snapshot'
                address = '/run/stargz.sock'
                [proxy_plugins.nydus]
                type = 'snapshot'
                address = '/run/nydus.sock'
                [proxy_plugins.blobs]
                type = 'content'
                address = '/run/blobs.sock'
                """);
        Map<String, Object> ours = accepted(imported);
        assertEquals("stargz", ours.get("images.snapshotter"));
        assertEquals("nydus", ours.get("runtime.runtimes.kata.snapshotter"));
        assertEquals("overlayfs", ours.get("runtime.runtimes.crun.snapshotter"));
        assertEquals("/run/stargz.sock", ours.get("proxy_plugins.stargz.address"));
        assertTrue(imported.report().stream().anyMatch(line -> line.startsWith("NO COUNTERPART") && line.contains("blobs/type")));
    }

    @Test
    void containerdsVersionThreeIsTranslated() throws IOException {
        Imported imported = ImportContainerd.of(ForeignConfig.parse(Toml.parse("""
                version = 3
                [plugins.'io.containerd.cri.v1.images']
                max_concurrent_downloads = 7
                [plugins.'io.containerd.cri.v1.images'.pinned_images]
                sandbox = "registry.k8s.io/pause:3.10"
                [plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.crun]
                runtime_type = "io.containerd.runc.v2"
                [plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.crun.options]
                BinaryName = "/usr/bin/crun"
                """), "theirs"));
        Map<String, Object> ours = accepted(imported);
        assertEquals(7L, ours.get("images.max_concurrent_downloads"));
        assertEquals("/usr/bin/crun", ours.get("runtime.runtimes.crun.runtime_path"));
    }

    @Test
    void criosFileIsTranslated() throws IOException {
        Imported imported = ImportCrio.of(ForeignConfig.parse(Toml.parse("""
                [crio]
                storage_driver = "overlay"
                [crio.api]
                stream_port = "0"
                [crio.runtime]
                default_runtime = "crun"
                cgroup_manager = "systemd"
                log_level = "warning"
                pids_limit = 2048
                [crio.runtime.runtimes.crun]
                runtime_path = "/usr/libexec/crio/crun"
                runtime_type = "oci"
                allowed_annotations = ["io.containers.trace-syscall"]
                [crio.image]
                pause_image = "registry.k8s.io/pause:3.10"
                pinned_images = ["a"]
                [crio.network]
                plugin_dirs = ["/opt/cni/bin/"]
                """), "theirs"));
        Map<String, Object> ours = accepted(imported);
        assertEquals("warn", ours.get("debug.level"));
        assertEquals(true, ours.get("runtime.runtimes.crun.options.SystemdCgroup"));
        assertEquals("/usr/libexec/crio/crun", ours.get("runtime.runtimes.crun.runtime_path"));
        assertReported(imported, "NO COUNTERPART crio/runtime/pids_limit = 2048");
        assertReported(imported, "NO COUNTERPART crio/runtime/runtimes/crun/allowed_annotations");
        assertReported(imported, "pause_image: Berth needs no pause container");
    }

    private static Imported containerd(String toml) {
        return ImportContainerd.of(ForeignConfig.parse(Toml.parse(toml), "theirs"));
    }

    private static Imported crio(String toml) {
        return ImportCrio.of(ForeignConfig.parse(Toml.parse(toml), "theirs"));
    }

    private static void assertNothingLost(Imported imported) {
        List<String> lost = imported.report().stream().filter(line -> line.startsWith("NO COUNTERPART")).toList();
        assertEquals(List.of(), lost);
    }

    @Test
    void containerdsVersionFourIsTranslated() throws IOException {
        Imported imported = containerd("""
                version = 4
                imports = ['/etc/containerd/conf.d/*.toml']
                [debug]
                format = 'json'
                [plugins.'io.containerd.cri.v1.images']
                snapshotter = 'overlayfs'
                disable_snapshot_annotations = true
                discard_unpacked_layers = false
                image_pull_progress_timeout = '5m0s'
                [plugins.'io.containerd.cri.v1.runtime']
                enable_unprivileged_ports = false
                enable_cdi = true
                cdi_spec_dirs = []
                [plugins.'io.containerd.cri.v1.runtime'.containerd]
                ignore_rdt_not_enabled_errors = false
                [plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.crun]
                runtime_type = 'io.containerd.runc.v2'
                sandboxer = 'podsandbox'
                [plugins.'io.containerd.gc.v1.scheduler']
                pause_threshold = 0.02
                [plugins.'io.containerd.grpc.v1.cri']
                stream_idle_timeout = '4h0m0s'
                [plugins.'io.containerd.nri.v1.nri'.default_validator]
                required_plugins = ['a']
                [plugins.'io.containerd.server.v1.grpc']
                gid = 7
                [plugins.'io.containerd.server.v1.metrics']
                address = '127.0.0.1:1338'
                [plugins.'io.containerd.service.v1.tasks-service']
                blockio_config_file = '/etc/blockio.yaml'
                [plugins.'io.containerd.tracing.processor.v1.otlp']
                endpoint = 'http://127.0.0.1:4318'
                protocol = 'http/protobuf'
                [timeouts]
                'io.containerd.timeout.task.state' = '2s'
                """);
        assertNothingLost(imported);
        Map<String, Object> ours = accepted(imported);
        assertEquals("json", ours.get("debug.format"));
        // What is off there and on here by default must be said.
        assertEquals(false, ours.get("images.discard_unpacked_layers"));
        assertEquals(false, ours.get("runtime.enable_unprivileged_ports"));
        assertEquals(false, ours.get("runtime.ignore_rdt_not_enabled_errors"));
        assertEquals(List.of(), ours.get("runtime.cdi_spec_dirs"));
        assertEquals("5m0s", ours.get("images.image_pull_progress_timeout"));
        assertEquals(List.of("a"), ours.get("nri.default_validator.required_plugins"));
        assertEquals(7L, ours.get("grpc.gid"));
        assertEquals("127.0.0.1:1338", ours.get("metrics.address"));
        assertEquals("/etc/blockio.yaml", ours.get("runtime.blockio_config_file"));
        assertEquals("http://127.0.0.1:4318", ours.get("tracing.otlp_endpoint"));
        // containerd's defaults, which are not Berth's.
        assertEquals("runc", ours.get("runtime.default_runtime_name"));
        assertEquals("runc", ours.get("runtime.runtimes.runc.runtime_path"));
    }

    @Test
    void whatContainerdDoesOtherwiseThanByDefaultIsLost() {
        Imported imported = containerd("""
                version = 3
                oom_score = -999
                [plugins.'io.containerd.cri.v1.runtime']
                enable_cdi = false
                selinux_category_range = 512
                disable_apparmor = true
                drain_exec_sync_io_timeout = '1s'
                [plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc]
                sandboxer = 'shim'
                cni_max_conf_num = 2
                [plugins.'io.containerd.tracing.processor.v1.otlp']
                endpoint = 'http://127.0.0.1:4317'
                """);
        for (String lost : List.of("oom_score = -999", "enable_cdi = false", "selinux_category_range = 512",
                "disable_apparmor = true", "drain_exec_sync_io_timeout = \"1s\"", "sandboxer = \"shim\"", "cni_max_conf_num = 2",
                "otlp/endpoint = ")) {
            assertTrue(imported.report().stream().anyMatch(line -> line.startsWith("NO COUNTERPART") && line.contains(lost)),
                    () -> lost + " is not in " + String.join("\n", imported.report()));
        }
    }

    @Test
    void filesThatContainerdImportsAreReadAndWin() throws IOException {
        Path drop = Files.createDirectory(directory.resolve("conf.d"));
        Path main = Files.writeString(directory.resolve("main.toml"), """
                imports = ["conf.d/*.toml", "none.d/*.toml"]
                [debug]
                level = "info"
                [grpc]
                gid = 1
                """);
        Files.writeString(drop.resolve("2.toml"), "[debug]\nlevel = \"warn\"\n");
        Files.writeString(drop.resolve("1.toml"), "imports = [\"../main.toml\"]\n[debug]\nlevel = \"debug\"\n");
        Map<String, Object> ours = accepted(ImportContainerd.of(ForeignConfig.read(List.of(main))));
        assertEquals("warn", ours.get("debug.level"));
        assertEquals(1L, ours.get("grpc.gid"));
    }

    @Test
    void whatCriosFileDoesNotSayHoldsToo() throws IOException {
        // What crio config writes: the defaults are comments.
        assertTrue(ForeignConfig.parse(Toml.parse("[crio]\n[crio.runtime]\n"), "theirs").hasTable("crio"));
        Imported imported = crio("[crio]\n[crio.runtime]\n");
        Map<String, Object> ours = accepted(imported);
        assertEquals("crun", ours.get("runtime.default_runtime_name"));
        assertEquals(true, ours.get("runtime.runtimes.crun.options.SystemdCgroup"));
        assertEquals(Set.copyOf(Capabilities.DEFAULT), ImportCrio.OURS.stream().map(name -> "CAP_" + name)
                .collect(Collectors.toSet()));
        assertReported(imported, "containers that do not say otherwise have also AUDIT_WRITE, MKNOD, NET_RAW, SETFCAP, SYS_CHROOT");
    }

    @Test
    void criosNewerKeysAreTranslated() throws IOException {
        Imported imported = crio("""
                [crio.api]
                stream_enable_tls = true
                stream_tls_cert = "/c"
                stream_tls_key = "/k"
                grpc_max_recv_msg_size = 83886080
                [crio.runtime]
                hooks_dir = ["/usr/share/containers/oci/hooks.d"]
                enable_criu_support = true
                cgroup_manager = "cgroupfs"
                pids_limit = -1
                default_capabilities = ["CHOWN", "DAC_OVERRIDE", "FSETID", "FOWNER", "MKNOD", "NET_RAW", "SETGID", "SETUID",
                    "SETFCAP", "SETPCAP", "NET_BIND_SERVICE", "SYS_CHROOT", "KILL", "AUDIT_WRITE"]
                [crio.runtime.runtimes.kata]
                runtime_path = "/usr/bin/containerd-shim-kata-v2"
                runtime_type = "vm"
                runtime_config_path = "/opt/kata/configuration.toml"
                privileged_without_host_devices = true
                [crio.runtime.runtimes.crun]
                monitor_path = "/usr/libexec/crio/conmon"
                monitor_env = ["PATH=/bin"]
                container_min_memory = "12MiB"
                inherit_default_runtime = false
                [crio.image]
                signature_policy = "/etc/containers/policy.json"
                global_auth_file = "/etc/auth.json"
                [crio.metrics]
                enable_metrics = true
                metrics_port = 9537
                [crio.nri]
                enable_nri = false
                nri_listen = "/run/nri.sock"
                [crio.nri.default_validator]
                nri_validator_reject_namespace_adjustment = true
                [crio.tracing]
                tracing_endpoint = "127.0.0.1:4317"
                """);
        assertNothingLost(imported);
        Map<String, Object> ours = accepted(imported);
        assertEquals("/k", ours.get("streaming.x509_key_pair_streaming.tls_key_file"));
        assertEquals(83886080L, ours.get("grpc.max_recv_message_size"));
        assertEquals("[/usr/share/containers/oci/hooks.d]", ours.get("runtime.hooks_dir").toString());
        assertEquals(true, ours.get("runtime.enable_criu_support"));
        assertEquals(true, ours.get("runtime.enable_checkpoint_images"));
        assertEquals("io.containerd.kata.v2", ours.get("runtime.runtimes.kata.runtime_type"));
        assertEquals("/opt/kata/configuration.toml", ours.get("runtime.runtimes.kata.options.ConfigPath"));
        assertEquals("/usr/libexec/crio/conmon", ours.get("runtime.runtimes.crun.monitor_path"));
        assertEquals(false, ours.get("runtime.runtimes.crun.options.SystemdCgroup"));
        assertEquals("/etc/containers/policy.json", ours.get("images.registry.policy_file"));
        assertEquals("/etc/auth.json", ours.get("images.registry.credentials_file"));
        assertEquals("127.0.0.1:9537", ours.get("metrics.address"));
        assertEquals(true, ours.get("nri.disable"));
        assertEquals(true, ours.get("nri.default_validator.reject_namespace_adjustment"));
    }
}
