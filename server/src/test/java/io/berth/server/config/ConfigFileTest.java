package io.berth.server.config;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.berth.base.RuntimeFault;
import io.berth.runtime.PassedAnnotations;
import io.berth.runtime.RuntimeHandler;
import io.berth.server.log.LogFormat;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.slf4j.event.Level;

class ConfigFileTest {

    @TempDir
    private Path directory;

    /** Every key with its default. A change here is a change for every operator: docs/configuration.md must follow. */
    @Test
    void everyKeyHasItsDefault() throws IOException {
        String expected = """
                root = /var/lib/berth
                state = /run/berth
                grpc.address = /run/berth/berth.sock
                grpc.gid = 0
                grpc.max_recv_message_size = 16777216
                grpc.mode = 0660
                grpc.uid = 0
                debug.format = text
                debug.level = info
                extensions.call_timeout = 10s
                extensions.directory =\s
                extensions.image_policy_failure = refuse
                images.discard_unpacked_layers = true
                images.image_pull_progress_timeout = 1m
                images.max_concurrent_downloads = 3
                images.max_concurrent_ranges = 3
                images.pinned_images = []
                images.registry.config_path = /etc/berth/certs.d
                images.registry.credentials_file = /etc/berth/auth.json
                images.registry.policy_file = /etc/berth/policy.json
                images.registry.registries_file = /etc/berth/registries.conf
                images.snapshotter = overlayfs
                console.address = 127.0.0.1:10280
                console.enable = false
                metrics.address =\s
                runtime.blockio_config_file =\s
                nri.default_validator.enable = false
                nri.default_validator.reject_custom_seccomp_adjustment = false
                nri.default_validator.reject_namespace_adjustment = false
                nri.default_validator.reject_oci_hook_adjustment = false
                nri.default_validator.reject_runtime_default_seccomp_adjustment = false
                nri.default_validator.reject_sysctl_adjustment = false
                nri.default_validator.reject_unconfined_seccomp_adjustment = false
                nri.default_validator.required_plugins = []
                nri.default_validator.tolerate_missing_plugins_annotation =\s
                nri.disable = false
                nri.disable_connections = false
                nri.plugin_config_path = /etc/nri/conf.d
                nri.plugin_path = /opt/nri/plugins
                nri.plugin_registration_timeout = 5s
                nri.plugin_request_timeout = 2s
                nri.socket_path = /var/run/nri/nri.sock
                runtime.builtin_network.bridge = berth0
                runtime.builtin_network.masquerade = true
                runtime.builtin_network.subnet = 10.189.0.0/16
                runtime.cni.bin_dirs = [/opt/cni/bin, /usr/lib/cni]
                runtime.cni.conf_dir = /etc/cni/net.d
                runtime.cni.max_conf_num = 1
                runtime.conmon = conmon
                runtime.default_cgroup_parent = /berth
                runtime.default_runtime_name =\s
                runtime.enable_checkpoint_images = false
                runtime.enable_criu_support = false
                runtime.enable_selinux = true
                runtime.enable_unprivileged_icmp = true
                runtime.enable_unprivileged_ports = true
                runtime.hooks_dir = []
                runtime.ignore_blockio_not_enabled_errors = false
                runtime.ignore_rdt_not_enabled_errors = false
                runtime.network = cni
                runtime.restrict_oom_score_adj = false
                runtime.runtimes.kata.base_runtime_spec =\s
                runtime.runtimes.kata.container_annotations = []
                runtime.runtimes.kata.monitor_path =\s
                runtime.runtimes.kata.options.SystemdCgroup = false
                runtime.runtimes.kata.options.arguments = []
                runtime.runtimes.kata.pod_annotations = []
                runtime.runtimes.kata.privileged_without_host_devices = false
                runtime.runtimes.kata.privileged_without_host_devices_all_devices_allowed = false
                runtime.runtimes.kata.runtime_path = /opt/kata
                runtime.runtimes.kata.runtime_type = oci
                runtime.runtimes.kata.snapshotter =\s
                runtime.seccomp_profile_root = /var/lib/kubelet/seccomp
                runtime.cdi_spec_dirs = [/etc/cdi, /var/run/cdi]
                runtime.shm_size = 67108864
                runtime.sandbox_pool = 2
                runtime.unset_seccomp_profile =\s
                streaming.enable_tls_streaming = false
                streaming.stream_idle_timeout = 4h
                streaming.stream_server_address = 127.0.0.1
                streaming.stream_server_port = 0
                streaming.x509_key_pair_streaming.tls_cert_file =\s
                streaming.x509_key_pair_streaming.tls_key_file =\s
                tracing.otlp_endpoint =\s
                tracing.sampling_ratio = 1.0
                tracing.service_name = berth
                """;
        // A handler's keys exist only where there is a handler.
        Map<String, Object> effective = load("[runtime.runtimes.kata]\nruntime_path = \"/opt/kata\"\n").effective();
        assertEquals(expected.lines().sorted().toList(),
                effective.entrySet().stream().map(entry -> entry.getKey() + " = " + entry.getValue()).sorted().toList());
    }

    @Test
    void aSnapshotterIsAProgramWithASocketAndEveryNameStandsForOne() throws IOException {
        Config config = load("""
                [proxy_plugins.stargz]
                address = "unix:///run/stargz.sock"
                [images]
                snapshotter = "stargz"
                [runtime.runtimes.kata]
                snapshotter = "overlayfs"
                """).config();
        assertEquals(Map.of("stargz", Path.of("/run/stargz.sock")), config.proxySnapshotters());
        assertEquals("stargz", config.images().snapshotter());
        assertEquals("overlayfs", config.runtime().runtimes().get("kata").snapshotter());
        RuntimeFault fault = assertThrows(RuntimeFault.class, () -> load("""
                [proxy_plugins.a]
                type = "content"
                address = "a.sock"
                [proxy_plugins.overlayfs]
                address = "/run/o.sock"
                [images]
                snapshotter = "b"
                [runtime.runtimes.kata]
                snapshotter = "c"
                """));
        for (String problem : List.of("proxy_plugins.a.type = \"content\"", "proxy_plugins.a.address = \"a.sock\"",
                "[proxy_plugins.overlayfs]: a name", "images.snapshotter = \"b\": there is no such snapshotter, only [a, overlayfs]",
                "runtime.runtimes.kata.snapshotter = \"c\"")) {
            assertTrue(fault.getMessage().contains(problem), fault.getMessage());
        }
    }

    @Test
    void aHandlerWithoutAnyKeyIsAHandler() throws IOException {
        var runtimes = load("[runtime.runtimes.runsc]\n[runtime.runtimes.a.options]\n").config().runtime().runtimes();
        assertEquals(List.of("a", "runsc"), List.copyOf(runtimes.keySet()));
        assertEquals("runsc", runtimes.get("runsc").path());
    }

    /** What a handler has more whose containers run behind a shim. */
    @Test
    void theKeysOfAShimHaveTheirDefaults() throws IOException {
        String prefix = "runtime.runtimes.s.";
        Map<String, Object> effective = load("[runtime.runtimes.s]\nruntime_type = \"io.containerd.kata.v2\"\n").effective();
        assertEquals(List.of("base_runtime_spec = ", "container_annotations = []", "options.BinaryName = ", "options.ConfigPath = ", "options.NoNewKeyring = false",
                "options.NoPivotRoot = false", "options.ShimCgroup = ", "options.SystemdCgroup = false", "options.TypeUrl = ",
                "options.arguments = []", "pod_annotations = []", "privileged_without_host_devices = false",
                "privileged_without_host_devices_all_devices_allowed = false",
                "runtime_path = containerd-shim-kata-v2", "runtime_type = io.containerd.kata.v2", "snapshotter = "),
                effective.entrySet().stream().filter(entry -> entry.getKey().startsWith(prefix))
                        .map(entry -> entry.getKey().substring(prefix.length()) + " = " + entry.getValue()).sorted().toList());
        assertTrue(load("[runtime.runtimes.s]\nruntime_type = \"io.containerd.kata.v2\"\n").config().runtime().runtimes()
                .get("s").isShim());
    }

    /** The references are made from these. */
    @Test
    void everyKeyHasAMeaning() {
        assertEquals(List.of(), KeyReference.all().stream().filter(each -> each.meaning().length() < 3)
                .map(KeyReference::key).toList());
    }

    @Test
    void valuesReachTheRecords() throws IOException {
        Config config = load("""
                root = "/r"
                state = "/s"
                [grpc]
                address = "/s/b.sock"
                mode = "0600"
                [debug]
                level = "debug"
                format = "json"
                [console]
                enable = true
                address = "[::1]:99"
                [tracing]
                otlp_endpoint = "http://collector:4318"
                sampling_ratio = 0.25
                [runtime]
                network = "builtin"
                default_runtime_name = "crun"
                [runtime.runtimes.crun]
                options.SystemdCgroup = true
                options.arguments = ["--debug"]
                [runtime.builtin_network]
                bridge = "b1"
                subnet = "10.1.0.0/24"
                [images]
                image_pull_progress_timeout = "1m30s"
                [streaming]
                stream_idle_timeout = "500ms"
                """).config();
        assertEquals(Path.of("/r"), config.root());
        assertEquals(Path.of("/s"), config.state());
        assertEquals(0600, config.grpc().mode());
        assertEquals(Level.DEBUG, config.log().level());
        assertEquals(Optional.of(new InetSocketAddress("::1", 99)), config.console());
        assertEquals(Optional.of(new Config.Tracing(URI.create("http://collector:4318"), 0.25, "berth")), config.tracing());
        assertEquals(LogFormat.JSON, config.log().format());
        assertEquals(Config.NetworkKind.BUILTIN, config.runtime().network());
        assertEquals(new Config.Builtin("b1", "10.1.0.0/24", true), config.runtime().builtin());
        assertEquals(new Config.Handler("oci", "crun", true, RuntimeHandler.Privileged.HOST_DEVICES, List.of("--debug"), "",
                PassedAnnotations.NONE, Optional.empty(), "", Config.ShimOptions.NONE),
                config.runtime().runtimes().get("crun"));
        assertEquals(Duration.ofSeconds(90), config.images().pullProgressTimeout());
        assertEquals(Duration.ofMillis(500), config.streaming().idleTimeout());
    }

    @Test
    void aDropInWinsKeyByKeyInTheOrderOfNames() throws IOException {
        Files.createDirectory(directory.resolve("config.d"));
        Files.writeString(directory.resolve("config.d/20-b.toml"), "[grpc]\ngid = 3\n");
        Files.writeString(directory.resolve("config.d/10-a.toml"), "[grpc]\ngid = 2\nuid = 2\n");
        Files.writeString(directory.resolve("config.d/readme.txt"), "not TOML");
        Config.Grpc grpc = load("[grpc]\ngid = 1\nuid = 1\nmode = \"0600\"\n").config().grpc();
        assertEquals(List.of(3, 2, 0600), List.of(grpc.gid(), grpc.uid(), grpc.mode()));
    }

    @Test
    void theOriginOfEachValueIsKnown() throws IOException {
        Path main = directory.resolve("config.toml");
        Files.createDirectory(directory.resolve("config.d"));
        Path dropIn = Files.writeString(directory.resolve("config.d/10-a.toml"), "grpc.gid = 2\n");
        Files.writeString(main, "grpc.gid = 1\ngrpc.uid = 1\n");
        Map<String, String> origins = ConfigFile.load(Optional.of(main), Map.of("root", "/r")).origins();
        assertEquals(List.of(dropIn.toString(), main.toString(), "command line", "default"),
                List.of(origins.get("grpc.gid"), origins.get("grpc.uid"), origins.get("root"), origins.get("state")));
    }

    @Test
    void theCommandLineWinsOverFiles() throws IOException {
        Files.writeString(directory.resolve("config.toml"), "root = \"/of/the/file\"\n");
        Config config = ConfigFile.load(Optional.of(directory.resolve("config.toml")), Map.of("root", "/r")).config();
        assertEquals(Path.of("/r"), config.root());
    }

    @Test
    void allProblemsAreReportedAtOnceWithTheirFile() {
        RuntimeFault fault = assertThrows(RuntimeFault.class, () -> load("""
                root = "relative"
                stat = "/s"
                [grpc]
                gid = "0"
                mode = "rw"
                [runtime]
                network = "flannel"
                """));
        assertEquals(RuntimeFault.Kind.INVALID_ARGUMENT, fault.kind());
        for (String part : List.of("root = \"relative\"", "stat: there is no such key", "grpc.gid = 0: a whole number is needed",
                "grpc.mode = \"rw\"", "runtime.network = \"flannel\"", directory.resolve("config.toml").toString())) {
            assertTrue(fault.getMessage().contains(part), () -> part + " is not in: " + fault.getMessage());
        }
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "no_such_key = 1 | no_such_key: there is no such key",
        "address = '/x' | did you mean grpc.address?",
        "root = 1 | a string is needed",
        "metrics.address = ':10257' | HOST:PORT",
        "grpc.uid = -1 | must be from 0 to",
        "grpc.uid = true | a whole number is needed",
        "runtime.shm_size = 1 | must be from 65536",
        "runtime.sandbox_pool = 65 | must be from 0",
        "runtime.cni.bin_dirs = '/x' | a list of strings is needed",
        "runtime.cni.bin_dirs = [1] | a list of strings is needed",
        "runtime.enable_unprivileged_ports = 'yes' | true or false is needed",
        "streaming.stream_idle_timeout = 'soon' | a duration like",
        "streaming.enable_tls_streaming = true | tls_cert_file and tls_key_file are needed",
        "nri.plugin_request_timeout = '0s' | more than zero is needed",
        "debug.level = 'loud' | one of trace, debug, info, warn, error",
        "debug.format = 'xml' | text or json is needed",
        "console.address = '0.0.0.0:10280' | only a loopback address such as 127.0.0.1 is possible",
        "console.address = '[2001:db8::1]:10280' | only a loopback address",
        "console.address = 'localhost:10280' | ADDRESS:PORT such as",
        "console.address = '127.0.0.1:70000' | ADDRESS:PORT such as",
        "console.address = '127.0.0.1' | ADDRESS:PORT such as",
        "tracing.otlp_endpoint = '127.0.0.1:4317' | a base address such as",
        "tracing.sampling_ratio = 1.5 | must be from 0 to 1",
        "tracing.sampling_ratio = 'all' | a number is needed",
        "runtime.default_runtime_name = 'a'\\nruntime.runtimes.b.runtime_path = '/b' | there is no [runtime.runtimes.a]",
        "runtime.runtimes.b.runtime_type = 'wasm' | runtime_type",
        "runtime.runtimes.b.runtime_type = 'io.containerd.runc' | such as io.containerd.runc.v2",
        "runtime.runtimes.b.runtime_type = '/opt/x.v2' | runtime_type",
        "runtime.runtimes.b.options.BinaryName = 'runc' | there is no such key",
        "runtime.runtimes.b.path = '/b' | runtime.runtimes.b.path: there is no such key",
        "runtime = 1 | runtime: there is no such key",
        "root = | config.toml:1",
    })
    void aBadValueIsRefusedWithItsCure(String toml, String message) {
        RuntimeFault fault = assertThrows(RuntimeFault.class, () -> load(toml.replace("\\n", "\n") + "\n"));
        assertEquals(RuntimeFault.Kind.INVALID_ARGUMENT, fault.kind());
        assertTrue(fault.getMessage().contains(message), fault::getMessage);
    }

    @Test
    void aNamedFileThatIsNotThereIsAnError() {
        RuntimeFault fault = assertThrows(RuntimeFault.class,
                () -> ConfigFile.load(Optional.of(directory.resolve("none.toml")), Map.of()));
        assertEquals(RuntimeFault.Kind.NOT_FOUND, fault.kind());
    }

    private ConfigFile.Loaded load(String toml) throws IOException {
        Path file = directory.resolve("config.toml");
        Files.writeString(file, toml);
        return ConfigFile.load(Optional.of(file), Map.of());
    }
}
