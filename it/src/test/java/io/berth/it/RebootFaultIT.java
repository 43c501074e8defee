package io.berth.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.berth.cli.scratch.PodClient;
import io.berth.cri.v1.ContainerState;
import io.berth.cri.v1.ListPodSandboxRequest;
import io.berth.cri.v1.PodSandboxState;
import io.berth.linux.Cgroups;
import io.berth.linux.Mounts;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * The machine is started anew: processes, mounts, groups and all of the state directory are gone, records and what network
 * plugins keep are still there.
 */
@Timeout(120)
class RebootFaultIT {

    private static final String BRIDGE = "cnir" + ProcessHandle.current().pid() % 10_000;
    private final Path directory = FreshDirectory.named("berth-cni");

    @RegisterExtension
    private final TestDaemon daemon = TestDaemon.with("""
            [runtime]
            network = "cni"
            [runtime.cni]
            conf_dir = "%1$s"
            """.formatted(directory));

    @BeforeEach
    void configure() throws IOException {
        Files.writeString(directory.resolve("10-test.conflist"), """
                {"cniVersion": "1.0.0", "name": "reboot", "plugins": [
                  {"type": "bridge", "bridge": "%s", "isGateway": true, "ipam": {"type": "host-local",
                   "dataDir": "%s/ipam", "ranges": [[{"subnet": "10.199.9.0/24"}]]}}]}
                """.formatted(BRIDGE, directory));
        TestImages.busybox(daemon);
    }

    @AfterEach
    void removeBridge() throws Exception {
        new ProcessBuilder("ip", "link", "del", BRIDGE).start().waitFor(10, TimeUnit.SECONDS);
        removeTree(directory);
    }

    private static void removeTree(Path top) throws IOException {
        try (Stream<Path> all = Files.walk(top)) {
            for (Path path : (Iterable<Path>) all.sorted(Comparator.reverseOrder())::iterator) {
                Files.delete(path);
            }
        }
    }

    private List<String> addresses() throws IOException {
        try (Stream<Path> files = Files.list(directory.resolve("ipam/reboot"))) {
            return files.map(file -> file.getFileName().toString()).filter(name -> name.startsWith("10.")).toList();
        }
    }

    private void reboot() throws Exception {
        daemon.kill9();
        boot();
    }

    private void boot() throws Exception {
        for (String line : daemon.node().podTraces(Optional.empty()).byKind().get("processes")) {
            ProcessHandle.of(Long.parseLong(line.split(" ")[0])).ifPresent(ProcessHandle::destroyForcibly);
        }
        Cgroups.detect().remove(daemon.node().cgroup());
        Mounts.at(daemon.node().state()).forEach(Mounts::unmount);
        removeTree(daemon.node().state());
        daemon.start();
    }

    @Test
    void podsOfTheFormerBootAreToldAsEndedAndTheirAddressesGivenBack() throws Exception {
        var pod = daemon.pods().run(PodClient.config("pod", daemon.node().logs()));
        String running = daemon.pods().run(pod, PodClient.container("running", "sleep", "1000"));
        String created = daemon.pods().create(pod, PodClient.container("created", "sleep", "1000"));
        assertEquals(1, addresses().size());

        reboot();

        for (String container : List.of(running, created)) {
            var status = daemon.pods().status(container);
            assertEquals(ContainerState.CONTAINER_EXITED, status.getState());
            assertTrue(status.getExitCode() == 255 && status.getMessage().contains("reboot"), status.toString());
        }
        assertEquals(List.of(PodSandboxState.SANDBOX_NOTREADY), daemon.connection().runtime()
                .listPodSandbox(ListPodSandboxRequest.getDefaultInstance()).getItemsList().stream()
                .map(one -> one.getState()).toList());
        assertEquals(List.of(), addresses());

        var config = pod.config().toBuilder();
        config.getMetadataBuilder().setAttempt(1);
        var again = daemon.pods().run(config.build());
        String container = daemon.pods().run(again, PodClient.container("running", "sleep", "1000"));
        assertEquals("a\n", daemon.pods().exec(container, "echo", "a").getStdout().toStringUtf8());
        for (var each : List.of(pod, again)) {
            daemon.pods().stop(each);
            daemon.pods().remove(each);
        }
        assertEquals(List.of(), addresses());
        daemon.assertNothingLeft();
    }

    /** Versions before this one kept what the plugins answered in the state directory. */
    private void keepNetworkRecordsAsFormerVersions() throws IOException {
        Path now = daemon.node().root().resolve("cni");
        Path former = daemon.node().state().resolve("cni");
        Files.createDirectories(former);
        try (Stream<Path> files = Files.list(now)) {
            for (Path file : files.toList()) {
                Files.move(file, former.resolve(file.getFileName()));
            }
        }
    }

    @Test
    void addressesOfPodsThatAFormerVersionMadeAreGivenBackAfterTheUpgrade() throws Exception {
        var pod = daemon.pods().run(PodClient.config("pod", daemon.node().logs()));
        daemon.kill9();
        keepNetworkRecordsAsFormerVersions();
        daemon.start();
        assertEquals(1, addresses().size());
        daemon.pods().stop(pod);
        assertEquals(List.of(), addresses());
        daemon.pods().remove(pod);
        daemon.assertNothingLeft();
    }

    @Test
    void addressesOfPodsThatAFormerVersionMadeAreGivenBackAfterTheUpgradeAndAReboot() throws Exception {
        var pod = daemon.pods().run(PodClient.config("pod", daemon.node().logs()));
        daemon.kill9();
        keepNetworkRecordsAsFormerVersions();
        boot();
        assertEquals(List.of(), addresses());
        daemon.pods().stop(pod);
        daemon.pods().remove(pod);
        daemon.assertNothingLeft();
    }
}
