package io.berth.cli.migrate;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.berth.server.config.ConfigFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
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
                snapshotter = "stargz"
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
        assertEquals("[io.katacontainers.*]", ours.get("runtime.runtimes.kata.pod_annotations").toString());
        assertEquals("/run/nri.sock", ours.get("nri.socket_path"));
        assertEquals("3s", ours.get("nri.plugin_request_timeout"));
        assertEquals("/etc/containerd/certs.d", ours.get("images.registry.config_path"));
        assertEquals("[/opt/cni/bin]", ours.get("runtime.cni.bin_dirs").toString());
        assertReported(imported, "sandbox_image: Berth needs no pause image");
        for (String lost : new String[] {"conf_template = \"/etc/t\"", "mirrors/docker.io/endpoint", "snapshotter = \"stargz\"",
            "old/runtime_type = \"io.containerd.runtime.v1.linux\""}) {
            assertTrue(imported.report().stream().anyMatch(line -> line.startsWith("NO COUNTERPART") && line.contains(lost)),
                    () -> lost + " is not in " + String.join("\n", imported.report()));
        }
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
}
