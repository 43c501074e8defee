package io.berth.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.berth.cli.scratch.PodClient;
import io.berth.cri.v1.PodSandboxStatusRequest;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Pods on the real CNI plugins bridge, host-local and portmap, and on one that fails. */
@Timeout(120)
class CniPodIT {

    private static final String BRIDGE = "cnit" + ProcessHandle.current().pid() % 10_000;
    private final Path directory = FreshDirectory.named("berth-cni");

    @RegisterExtension
    private final TestDaemon daemon = TestDaemon.with("""
            [runtime]
            network = "cni"
            [runtime.cni]
            conf_dir = "%1$s/net.d"
            bin_dirs = ["%1$s/bin", "/usr/lib/cni", "/opt/cni/bin"]
            """.formatted(directory));

    @BeforeEach
    void directories() throws IOException {
        Files.createDirectories(directory.resolve("net.d"));
        Files.createDirectories(directory.resolve("bin"));
    }

    @AfterEach
    void removeBridge() throws Exception {
        new ProcessBuilder("ip", "link", "del", BRIDGE).start().waitFor(10, TimeUnit.SECONDS);
        try (Stream<Path> all = Files.walk(directory)) {
            for (Path path : (Iterable<Path>) all.sorted(Comparator.reverseOrder())::iterator) {
                Files.delete(path);
            }
        }
    }

    private void configure(String lastPlugin) throws IOException {
        Files.writeString(directory.resolve("net.d/10-test.conflist"), """
                {"cniVersion": "1.0.0", "name": "it", "plugins": [
                  {"type": "bridge", "bridge": "%s", "isGateway": true, "ipam": {"type": "host-local",
                   "dataDir": "%s/ipam", "ranges": [[{"subnet": "10.199.7.0/24"}]]}},
                  {"type": "%s", "capabilities": {"portMappings": true}}]}
                """.formatted(BRIDGE, directory, lastPlugin));
    }

    private List<String> addresses() throws IOException {
        Path kept = directory.resolve("ipam/it");
        if (!Files.isDirectory(kept)) {
            return List.of();
        }
        try (Stream<Path> files = Files.list(kept)) {
            return files.map(file -> file.getFileName().toString()).filter(name -> name.startsWith("10.")).toList();
        }
    }

    @Test
    void aPodGetsItsAddressFromThePluginsAndGivesItBack() throws Exception {
        configure("portmap");
        TestImages.busybox(daemon);
        var pod = daemon.pods().run(PodClient.config("pod", daemon.node().logs()));
        String address = daemon.connection().runtime().podSandboxStatus(PodSandboxStatusRequest.newBuilder()
                .setPodSandboxId(pod.id()).build()).getStatus().getNetwork().getIp();
        assertEquals(List.of(address), addresses());
        String container = daemon.pods().run(pod, PodClient.container("c", "sleep", "1000"));
        assertTrue(daemon.pods().exec(container, "ip", "-4", "addr", "show", "eth0").getStdout().toStringUtf8()
                .contains(address));

        daemon.kill9();
        daemon.start();
        daemon.pods().stop(pod);
        assertEquals(List.of(), addresses());
        daemon.pods().remove(pod);
        daemon.assertNothingLeft();
    }

    @Test
    void aFailingPluginIsNamedAndWhatWasMadeBeforeItIsTakenBack() throws Exception {
        Path plugin = Files.writeString(directory.resolve("bin/refuses"), """
                #!/bin/sh
                case "$CNI_COMMAND" in
                  VERSION) echo '{"cniVersion":"1.0.0","supportedVersions":["0.4.0","1.0.0"]}';;
                  ADD) echo '{"cniVersion":"1.0.0","code":11,"msg":"no more room","details":"try later"}'; exit 1;;
                esac
                """);
        Files.setPosixFilePermissions(plugin, PosixFilePermissions.fromString("rwxr-xr-x"));
        configure("refuses");
        Status status = assertThrows(StatusRuntimeException.class,
                () -> daemon.pods().run(PodClient.config("pod", daemon.node().logs()))).getStatus();
        assertTrue(status.getDescription().contains("refuses") && status.getDescription().contains("no more room"),
                status.getDescription());
        assertEquals(List.of(), addresses());
        daemon.assertNothingLeft();
    }
}
