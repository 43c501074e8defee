package io.berth.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.berth.api.v1.ReconciliationRequest;
import io.berth.cli.scratch.PodClient;
import io.berth.cri.v1.ContainerState;
import io.berth.cri.v1.ListContainersRequest;
import io.berth.cri.v1.ListPodSandboxRequest;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** A daemon that goes back to an older version, or whose disk has spoiled a record, takes nothing away that it cannot read of. */
@Timeout(120)
class ForeignRecordFaultIT {

    @RegisterExtension
    private final TestDaemon daemon = TestDaemon.withBuiltinNetwork();

    @Test
    void aPodWhoseRecordsOnlyANewerVersionUnderstandsIsLeftAloneAndTold() throws Exception {
        TestImages.busybox(daemon);
        var pod = daemon.pods().run(PodClient.config("pod", daemon.node().logs()));
        String container = daemon.pods().run(pod, PodClient.container("c", "sh", "-c",
                "i=0; while :; do echo tick $i; i=$((i+1)); sleep 0.1; done"));
        Path sandboxRecord = daemon.node().root().resolve("records/sandboxes/" + pod.id() + ".json");
        Path containerRecord = daemon.node().root().resolve("records/containers/" + container + ".json");
        List<String> before = withoutProcesses();

        daemon.kill9();
        String sandboxText = Files.readString(sandboxRecord);
        String containerText = Files.readString(containerRecord);
        Files.writeString(sandboxRecord, sandboxText.replace("\"READY\"", "\"HIBERNATING\""));
        Files.writeString(containerRecord, containerText.replace("\"RUNNING\"", "\"DREAMING\""));
        daemon.start();

        var runtime = daemon.connection().runtime();
        assertEquals(0, runtime.listPodSandbox(ListPodSandboxRequest.getDefaultInstance()).getItemsCount());
        assertEquals(0, runtime.listContainers(ListContainersRequest.getDefaultInstance()).getContainersCount());
        var report = daemon.connection().berth().reconciliation(ReconciliationRequest.newBuilder().setRunNow(true).build());
        assertEquals(Set.of("sandboxes/" + pod.id(), "containers/" + container),
                report.getFindingsList().stream().map(finding -> finding.getSubject()).collect(Collectors.toSet()));
        assertTrue(report.getFindingsList().stream().allMatch(finding -> finding.getError().contains("another version")),
                report.toString());
        assertEquals(before, withoutProcesses());
        // Another pod does not get its address, or anything else of it.
        var other = daemon.pods().run(PodClient.config("other", daemon.node().logs()));
        daemon.pods().stop(other);
        daemon.pods().remove(other);
        int ticks = (int) daemon.log("pod", "c").lines().count();

        daemon.kill9();
        Files.writeString(sandboxRecord, sandboxText);
        Files.writeString(containerRecord, containerText);
        daemon.start();
        assertEquals(ContainerState.CONTAINER_RUNNING, daemon.pods().status(container).getState());
        assertEquals("a\n", daemon.pods().exec(container, "echo", "a").getStdout().toStringUtf8());
        assertTrue(daemon.log("pod", "c").lines().count() > ticks, "it did not run on");
        daemon.pods().stop(pod);
        daemon.pods().remove(pod);
        daemon.assertNothingLeft();
    }

    private List<String> withoutProcesses() {
        return daemon.node().podTraces(Optional.of(daemon.process())).lines().stream()
                .filter(line -> !line.startsWith("processes: ")).sorted().toList();
    }
}
