package io.berth.it.conformance;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.berth.cri.v1.Container;
import io.berth.cri.v1.ContainerFilter;
import io.berth.cri.v1.ContainerState;
import io.berth.cri.v1.ContainerStateValue;
import io.berth.cri.v1.ContainerStatus;
import io.berth.cri.v1.ContainerStatusRequest;
import io.berth.cri.v1.ListContainersRequest;
import io.berth.cri.v1.RemoveContainerRequest;
import io.berth.cri.v1.Signal;
import io.berth.cri.v1.StopContainerRequest;
import io.berth.cri.v1.StreamContainersRequest;
import io.grpc.Status;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** The life of a container, and the lists that tell of it. */
@Timeout(120)
class ContainerConformanceIT {

    private static final String UNKNOWN = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

    @RegisterExtension
    static final Cri CRI = new Cri();

    private static List<String> ids(ContainerFilter.Builder filter) {
        return CRI.runtime().listContainers(ListContainersRequest.newBuilder().setFilter(filter).build())
                .getContainersList().stream().map(Container::getId).toList();
    }

    private static void stop(String id, long seconds) {
        CRI.runtime().stopContainer(StopContainerRequest.newBuilder().setContainerId(id).setTimeout(seconds).build());
    }

    private static void remove(String id) {
        CRI.runtime().removeContainer(RemoveContainerRequest.newBuilder().setContainerId(id).build());
    }

    @Test
    void aContainerIsCreatedStartedStoppedAndRemoved() {
        var pod = CRI.pod();
        String id = CRI.create(pod, config -> { }, "sleep", "1000");
        assertEquals(ContainerState.CONTAINER_CREATED, CRI.status(id).getState());
        CRI.start(id);
        assertEquals(ContainerState.CONTAINER_RUNNING, CRI.status(id).getState());
        stop(id, 0);
        assertEquals(ContainerState.CONTAINER_EXITED, CRI.status(id).getState());
        remove(id);
        Cri.refused(Status.Code.NOT_FOUND, () -> CRI.status(id));
        assertEquals(List.of(), ids(ContainerFilter.newBuilder().setId(id)));
    }

    @Test
    void aContainerIsRemovedInEveryState() {
        var pod = CRI.pod();
        String created = CRI.create(pod, config -> { }, "sleep", "1000");
        String running = CRI.sleeper(pod);
        String exited = CRI.run(pod, config -> { }, "true");
        CRI.ended(exited);
        List.of(created, running, exited).forEach(ContainerConformanceIT::remove);
        assertEquals(List.of(), ids(ContainerFilter.newBuilder().setPodSandboxId(pod.id())));
    }

    @Test
    void stoppingAndRemovingAgainSucceeds() {
        String id = CRI.sleeper(CRI.pod());
        stop(id, 0);
        stop(id, 0);
        remove(id);
        remove(id);
        stop(id, 0);
    }

    @Test
    void stoppingAndRemovingAnUnknownContainerSucceeds() {
        stop(UNKNOWN, 5);
        remove(UNKNOWN);
    }

    @Test
    void anUnknownContainerIsNotFoundByAllOtherCalls() {
        Cri.refused(Status.Code.NOT_FOUND, () -> CRI.status(UNKNOWN));
        Cri.refused(Status.Code.NOT_FOUND, () -> CRI.start(UNKNOWN));
        Cri.refused(Status.Code.NOT_FOUND, () -> CRI.exec(UNKNOWN, "true"));
    }

    @Test
    void aStartedContainerIsNotStartedAgain() {
        var pod = CRI.pod();
        String running = CRI.sleeper(pod);
        Cri.refused(() -> CRI.start(running));
        String ended = CRI.run(pod, config -> { }, "true");
        CRI.ended(ended);
        Cri.refused(() -> CRI.start(ended));
    }

    @Test
    void whatTheContainerWasGivenIsTold() {
        long before = System.currentTimeMillis() * 1_000_000;
        var pod = CRI.pod();
        String id = CRI.sleeper(pod, config -> config.putLabels("app", "sail").putAnnotations("note", "text")
                .setMetadata(config.getMetadata().toBuilder().setName("told").setAttempt(3)));
        ContainerStatus status = CRI.status(id);
        assertEquals(id, status.getId());
        assertEquals("told", status.getMetadata().getName());
        assertEquals(3, status.getMetadata().getAttempt());
        assertEquals(Map.of("app", "sail"), status.getLabelsMap());
        assertEquals(Map.of("note", "text"), status.getAnnotationsMap());
        assertEquals(CRI.images().busybox(), status.getImage().getImage());
        assertTrue(before <= status.getCreatedAt() && status.getCreatedAt() <= status.getStartedAt(), status::toString);
        assertEquals(0, status.getFinishedAt());
        assertTrue(status.getLogPath().startsWith(pod.config().getLogDirectory() + "/"), status.getLogPath());
        Container item = CRI.runtime().listContainers(ListContainersRequest.newBuilder()
                .setFilter(ContainerFilter.newBuilder().setId(id)).build()).getContainers(0);
        assertEquals(pod.id(), item.getPodSandboxId());
        assertEquals(status.getMetadata(), item.getMetadata());
        assertEquals(status.getLabelsMap(), item.getLabelsMap());
        assertEquals(status.getAnnotationsMap(), item.getAnnotationsMap());
        assertEquals(ContainerState.CONTAINER_RUNNING, item.getState());
        assertEquals(status.getCreatedAt(), item.getCreatedAt());
    }

    @Test
    void theExitCodeAndTheTimesAreTold() {
        ContainerStatus failed = CRI.ended(CRI.run(CRI.pod(), config -> { }, "sh", "-c", "exit 7"));
        assertEquals(7, failed.getExitCode());
        assertEquals("Error", failed.getReason());
        assertTrue(failed.getStartedAt() > 0 && failed.getStartedAt() <= failed.getFinishedAt(), failed::toString);
        ContainerStatus well = CRI.ended(CRI.run(CRI.pod(), config -> { }, "true"));
        assertEquals(0, well.getExitCode());
        assertEquals("Completed", well.getReason());
    }

    @Test
    void anEndByASignalIs128PlusItsNumber() {
        assertEquals(128 + 9, CRI.ended(CRI.run(CRI.podWith(PODS), config -> { }, "sh", "-c", "kill -9 $$; sleep 10")).getExitCode());
    }

    // The first process of a PID namespace takes no signals from itself; one in the pod's is not the first.
    private static final io.berth.cri.v1.NamespaceOption PODS = io.berth.cri.v1.NamespaceOption.getDefaultInstance();

    @Test
    void aGracefulStopIsHeard() {
        var pod = CRI.pod();
        String id = CRI.run(pod, config -> { }, "sh", "-c", "trap 'exit 3' TERM; touch /ready; while :; do sleep 0.05; done");
        Cri.await("the trap", () -> CRI.exec(id, "test", "-e", "/ready").getExitCode() == 0);
        stop(id, 25);
        assertEquals(3, CRI.status(id).getExitCode());
    }

    @Test
    void afterTheGracePeriodTheContainerIsKilled() {
        var pod = CRI.pod();
        String id = CRI.run(pod, config -> { }, "sh", "-c", "trap '' TERM; touch /ready; while :; do sleep 0.05; done");
        Cri.await("the trap", () -> CRI.exec(id, "test", "-e", "/ready").getExitCode() == 0);
        stop(id, 1);
        assertEquals(137, CRI.status(id).getExitCode());
    }

    @Test
    void theImagesStopSignalIsUsed() {
        String program = CRI.pulled("program");
        var pod = CRI.pod();
        String id = CRI.run(pod, config -> config.setImage(Cri.image(program)), "sh", "-c",
                "trap 'exit 5' USR1; touch /ready; while :; do sleep 0.05; done");
        Cri.await("the trap", () -> CRI.exec(id, "test", "-e", "/ready").getExitCode() == 0);
        stop(id, 25);
        assertEquals(5, CRI.status(id).getExitCode());
    }

    @Test
    void theRequestsStopSignalWinsAndIsTold() {
        CRI.onlyOnBerth("stop_signal in the configuration came later");
        String program = CRI.pulled("program");
        var pod = CRI.pod();
        String id = CRI.run(pod, config -> config.setImage(Cri.image(program)).setStopSignal(Signal.SIGNAL_SIGUSR2), "sh", "-c",
                "trap 'exit 6' USR2; touch /ready; while :; do sleep 0.05; done");
        assertEquals(Signal.SIGNAL_SIGUSR2, CRI.status(id).getStopSignal());
        Cri.await("the trap", () -> CRI.exec(id, "test", "-e", "/ready").getExitCode() == 0);
        stop(id, 25);
        assertEquals(6, CRI.status(id).getExitCode());
    }

    @Test
    void listsAreFilteredByIdPodStateAndLabels() {
        var pod = CRI.pod();
        String running = CRI.sleeper(pod, config -> config.putLabels("test", "filters").putLabels("which", "running"));
        String created = CRI.create(pod, config -> config.putLabels("test", "filters"), "true");
        String foreign = CRI.sleeper(CRI.pod(), config -> config.putLabels("test", "filters"));
        assertEquals(List.of(running), ids(ContainerFilter.newBuilder().setId(running)));
        assertEquals(List.of(running), ids(ContainerFilter.newBuilder().setId(running.substring(0, 20))));
        assertEquals(List.of(), ids(ContainerFilter.newBuilder().setId(UNKNOWN)));
        assertEquals(2, ids(ContainerFilter.newBuilder().setPodSandboxId(pod.id())).size());
        var state = ContainerStateValue.newBuilder();
        assertEquals(List.of(created), ids(ContainerFilter.newBuilder().setPodSandboxId(pod.id())
                .setState(state.setState(ContainerState.CONTAINER_CREATED))));
        assertEquals(List.of(running), ids(ContainerFilter.newBuilder().setPodSandboxId(pod.id())
                .setState(state.setState(ContainerState.CONTAINER_RUNNING))));
        assertEquals(List.of(), ids(ContainerFilter.newBuilder().setPodSandboxId(pod.id())
                .setState(state.setState(ContainerState.CONTAINER_EXITED))));
        assertEquals(3, ids(ContainerFilter.newBuilder().putLabelSelector("test", "filters")).size());
        assertTrue(ids(ContainerFilter.newBuilder().putLabelSelector("test", "filters")).contains(foreign));
        assertEquals(List.of(running), ids(ContainerFilter.newBuilder().putLabelSelector("test", "filters")
                .putLabelSelector("which", "running")));
        assertEquals(List.of(), ids(ContainerFilter.newBuilder().setId(running).setPodSandboxId(UNKNOWN)));
    }

    @Test
    void theStreamOfContainersHasEachOnce() {
        var pod = CRI.pod();
        List<String> made = List.of(CRI.create(pod, config -> { }, "true"), CRI.sleeper(pod));
        List<String> ids = new ArrayList<>();
        CRI.runtime().streamContainers(StreamContainersRequest.newBuilder()
                        .setFilter(ContainerFilter.newBuilder().setPodSandboxId(pod.id())).build())
                .forEachRemaining(part -> part.getContainersList().forEach(container -> ids.add(container.getId())));
        assertEquals(2, ids.size());
        assertTrue(ids.containsAll(made));
    }

    @Test
    void aNameIsTakenOnceInAPod() {
        var pod = CRI.pod();
        var config = CRI.containerConfig(pod, "true").build();
        String first = CRI.create(pod, config);
        Cri.refused(() -> CRI.create(pod, config));
        remove(first);
        assertNotEquals(first, CRI.create(pod, config));
    }

    @Test
    void theVerboseStatusTellsMore() {
        String id = CRI.sleeper(CRI.pod());
        assertFalse(CRI.runtime().containerStatus(ContainerStatusRequest.newBuilder().setContainerId(id).setVerbose(true)
                .build()).getInfoMap().isEmpty());
        assertTrue(CRI.runtime().containerStatus(ContainerStatusRequest.newBuilder().setContainerId(id).build())
                .getInfoMap().isEmpty());
    }

    @Test
    void aProgramThatIsNotThereFailsTheStartOrTheCreation() {
        var pod = CRI.pod();
        Cri.refused(() -> CRI.run(pod, config -> { }, "/no/such/program"));
    }

    @Test
    void anImageThatIsNotThereIsRefused() {
        var pod = CRI.pod();
        Cri.refused(() -> CRI.create(pod, config -> config.setImage(Cri.image(CRI.images().reference("absent:1"))), "true"));
    }

    @Test
    void programArgumentsDirectoryAndEnvironmentComeFromTheImage() {
        String program = CRI.pulled("program");
        var pod = CRI.pod();
        var config = CRI.containerConfig(pod).setImage(Cri.image(program)).build();
        CRI.ended(CRI.run(pod, builder -> builder.clear().mergeFrom(config)));
        assertEquals(List.of("entry command"), texts(pod, config.getMetadata().getName()));
        var arguments = CRI.containerConfig(pod).setImage(Cri.image(program)).addArgs("given").build();
        CRI.ended(CRI.run(pod, builder -> builder.clear().mergeFrom(arguments)));
        assertEquals(List.of("entry given"), texts(pod, arguments.getMetadata().getName()));
        assertEquals("/desk\nyes no\n", CRI.script(pod, builder -> builder.setImage(Cri.image(program)),
                "pwd; echo $FROM_IMAGE $OVERRIDDEN"));
    }

    private static List<String> texts(Cri.Pod pod, String name) {
        Cri.await("the log", () -> !CriLog.read(CRI.logFile(pod, name)).isEmpty());
        return CriLog.read(CRI.logFile(pod, name)).stream().map(CriLog::text).toList();
    }

    @Test
    void theRequestsDirectoryAndEnvironmentWin() {
        String program = CRI.pulled("program");
        var pod = CRI.pod();
        var variable = io.berth.cri.v1.KeyValue.newBuilder();
        assertEquals("/tmp\nyes yes a=b ü\n", CRI.script(pod, builder -> builder.setImage(Cri.image(program)).setWorkingDir("/tmp")
                .addEnvs(variable.setKey("OVERRIDDEN").setValue(com.google.protobuf.ByteString.copyFromUtf8("yes")).build())
                .addEnvs(variable.setKey("ODD").setValue(com.google.protobuf.ByteString.copyFromUtf8("a=b ü")).build()),
                "pwd; echo $FROM_IMAGE $OVERRIDDEN $ODD"));
    }

    @Test
    void theWritableLayerIsTheContainersOwn() {
        var pod = CRI.pod();
        String first = CRI.sleeper(pod);
        String second = CRI.sleeper(pod);
        CRI.out(first, "sh", "-c", "echo mine > /desk/here; rm /volume/seed; echo new > /new");
        assertEquals("here\n", CRI.out(second, "cat", "/desk/here"));
        assertEquals("seed\n", CRI.out(second, "cat", "/volume/seed"));
        assertNotEquals(0, CRI.exec(second, "test", "-e", "/new").getExitCode());
    }
}
