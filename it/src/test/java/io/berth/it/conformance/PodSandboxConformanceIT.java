package io.berth.it.conformance;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.berth.cri.v1.ContainerState;
import io.berth.cri.v1.ListPodSandboxRequest;
import io.berth.cri.v1.PodSandbox;
import io.berth.cri.v1.PodSandboxFilter;
import io.berth.cri.v1.PodSandboxState;
import io.berth.cri.v1.PodSandboxStateValue;
import io.berth.cri.v1.PodSandboxStatus;
import io.berth.cri.v1.PodSandboxStatusRequest;
import io.berth.cri.v1.RemovePodSandboxRequest;
import io.berth.cri.v1.StopPodSandboxRequest;
import io.berth.cri.v1.StreamPodSandboxesRequest;
import io.grpc.Status;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** The life of a pod, and the lists that tell of it. */
@Timeout(120)
class PodSandboxConformanceIT {

    private static final String UNKNOWN = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

    @RegisterExtension
    static final Cri CRI = new Cri();

    static PodSandboxStatus status(Cri cri, String id) {
        return cri.runtime().podSandboxStatus(PodSandboxStatusRequest.newBuilder().setPodSandboxId(id).build()).getStatus();
    }

    private static List<String> ids(PodSandboxFilter.Builder filter) {
        return CRI.runtime().listPodSandbox(ListPodSandboxRequest.newBuilder().setFilter(filter).build()).getItemsList()
                .stream().map(PodSandbox::getId).toList();
    }

    @Test
    void aPodRunsIsStoppedAndIsGone() {
        var pod = CRI.pod();
        assertEquals(PodSandboxState.SANDBOX_READY, status(CRI, pod.id()).getState());
        CRI.stop(pod);
        assertEquals(PodSandboxState.SANDBOX_NOTREADY, status(CRI, pod.id()).getState());
        CRI.remove(pod);
        Cri.refused(Status.Code.NOT_FOUND, () -> status(CRI, pod.id()));
        assertEquals(List.of(), ids(PodSandboxFilter.newBuilder().setId(pod.id())));
    }

    @Test
    void whatThePodWasGivenIsTold() {
        long before = System.currentTimeMillis() * 1_000_000;
        var pod = CRI.pod(config -> config.putLabels("app", "sail").putAnnotations("note", "with = and \"quotes\"")
                .setMetadata(config.getMetadata().toBuilder().setAttempt(7)));
        PodSandboxStatus status = status(CRI, pod.id());
        assertEquals(pod.config().getMetadata(), status.getMetadata());
        assertEquals(Map.of("app", "sail"), status.getLabelsMap());
        assertEquals(Map.of("note", "with = and \"quotes\""), status.getAnnotationsMap());
        assertTrue(status.getCreatedAt() >= before && status.getCreatedAt() <= System.currentTimeMillis() * 1_000_000 + 1_000_000);
        PodSandbox item = CRI.runtime().listPodSandbox(ListPodSandboxRequest.newBuilder()
                .setFilter(PodSandboxFilter.newBuilder().setId(pod.id())).build()).getItems(0);
        assertEquals(status.getMetadata(), item.getMetadata());
        assertEquals(status.getLabelsMap(), item.getLabelsMap());
        assertEquals(status.getAnnotationsMap(), item.getAnnotationsMap());
        assertEquals(status.getCreatedAt(), item.getCreatedAt());
    }

    @Test
    void listsAreFilteredById() {
        var pod = CRI.pod();
        CRI.pod();
        assertEquals(List.of(pod.id()), ids(PodSandboxFilter.newBuilder().setId(pod.id())));
        assertEquals(List.of(pod.id()), ids(PodSandboxFilter.newBuilder().setId(pod.id().substring(0, 20))));
        assertEquals(List.of(), ids(PodSandboxFilter.newBuilder().setId(UNKNOWN)));
    }

    @Test
    void listsAreFilteredByStateAndLabels() {
        var up = CRI.pod(config -> config.putLabels("test", "states").putLabels("side", "port"));
        var down = CRI.pod(config -> config.putLabels("test", "states").putLabels("side", "starboard"));
        CRI.stop(down);
        var states = PodSandboxFilter.newBuilder().putLabelSelector("test", "states");
        assertEquals(List.of(up.id()), ids(states.clone().setState(
                PodSandboxStateValue.newBuilder().setState(PodSandboxState.SANDBOX_READY))));
        assertEquals(List.of(down.id()), ids(states.clone().setState(
                PodSandboxStateValue.newBuilder().setState(PodSandboxState.SANDBOX_NOTREADY))));
        assertEquals(2, ids(states.clone()).size());
        assertEquals(List.of(down.id()), ids(states.clone().putLabelSelector("side", "starboard")));
        assertEquals(List.of(), ids(states.clone().putLabelSelector("side", "aft")));
    }

    @Test
    void theStreamOfPodsHasEachOnce() {
        var first = CRI.pod(config -> config.putLabels("test", "stream"));
        var second = CRI.pod(config -> config.putLabels("test", "stream"));
        List<String> ids = new ArrayList<>();
        CRI.runtime().streamPodSandboxes(StreamPodSandboxesRequest.newBuilder()
                        .setFilter(PodSandboxFilter.newBuilder().putLabelSelector("test", "stream")).build())
                .forEachRemaining(part -> part.getPodSandboxesList().forEach(pod -> ids.add(pod.getId())));
        assertEquals(2, ids.size());
        assertTrue(ids.containsAll(List.of(first.id(), second.id())));
    }

    @Test
    void stoppingEndsTheContainersAndRemovingTakesThemAway() {
        var pod = CRI.pod();
        String container = CRI.sleeper(pod);
        CRI.stop(pod);
        var status = CRI.status(container);
        assertEquals(ContainerState.CONTAINER_EXITED, status.getState());
        assertNotEquals(0, status.getExitCode());
        CRI.remove(pod);
        Cri.refused(Status.Code.NOT_FOUND, () -> CRI.status(container));
    }

    @Test
    void aRunningPodIsRemovedToo() {
        var pod = CRI.pod();
        CRI.sleeper(pod);
        CRI.runtime().removePodSandbox(RemovePodSandboxRequest.newBuilder().setPodSandboxId(pod.id()).build());
        assertEquals(List.of(), ids(PodSandboxFilter.newBuilder().setId(pod.id())));
    }

    @Test
    void stoppingAndRemovingAgainSucceeds() {
        var pod = CRI.pod();
        CRI.stop(pod);
        CRI.stop(pod);
        CRI.remove(pod);
        CRI.remove(pod);
    }

    @Test
    void stoppingAndRemovingAnUnknownPodSucceeds() {
        CRI.runtime().stopPodSandbox(StopPodSandboxRequest.newBuilder().setPodSandboxId(UNKNOWN).build());
        CRI.runtime().removePodSandbox(RemovePodSandboxRequest.newBuilder().setPodSandboxId(UNKNOWN).build());
    }

    @Test
    void aNameIsTakenOnceUntilThePodIsRemoved() {
        var pod = CRI.pod();
        Cri.refused(() -> CRI.pod(pod.config(), ""));
        CRI.remove(pod);
        assertNotEquals(pod.id(), CRI.pod(pod.config(), "").id());
    }

    @Test
    void anotherAttemptOfTheSameNameIsAnotherPod() {
        var first = CRI.pod();
        var second = CRI.pod(first.config().toBuilder().setMetadata(first.config().getMetadata().toBuilder().setAttempt(1))
                .build(), "");
        assertNotEquals(first.id(), second.id());
    }

    @Test
    void theVerboseStatusTellsMore() {
        var pod = CRI.pod();
        var answer = CRI.runtime().podSandboxStatus(
                PodSandboxStatusRequest.newBuilder().setPodSandboxId(pod.id()).setVerbose(true).build());
        assertFalse(answer.getInfoMap().isEmpty());
    }

    @Test
    void theStatusOfAPodHasThoseOfItsContainersAndATime() {
        CRI.onlyOnBerth("containers_statuses belong to the event API of later runtimes");
        var pod = CRI.pod();
        String container = CRI.sleeper(pod);
        var answer = CRI.runtime().podSandboxStatus(PodSandboxStatusRequest.newBuilder().setPodSandboxId(pod.id()).build());
        assertEquals(1, answer.getContainersStatusesCount());
        assertEquals(container, answer.getContainersStatuses(0).getId());
        assertEquals(ContainerState.CONTAINER_RUNNING, answer.getContainersStatuses(0).getState());
        assertTrue(answer.getTimestamp() > 0);
    }

    @Test
    void aStoppedPodTakesNoFurtherContainer() {
        var pod = CRI.pod();
        CRI.stop(pod);
        Cri.refused(() -> CRI.create(pod, config -> { }, "true"));
    }

    @Test
    void severalContainersShareThePod() {
        var pod = CRI.pod();
        CRI.run(pod, config -> { }, "httpd", "-f", "-p", "127.0.0.1:8080", "-h", "/www");
        String client = CRI.sleeper(pod);
        Cri.await("the web server", () -> CRI.exec(client, "wget", "-q", "-O", "-", "http://127.0.0.1:8080/").getExitCode() == 0);
        assertEquals("a page for tests\n", CRI.out(client, "wget", "-q", "-O", "-", "http://127.0.0.1:8080/"));
    }

    @Test
    void thePodsResourcesMayBeUpdated() {
        CRI.onlyOnBerth("UpdatePodSandboxResources came later");
        var pod = CRI.pod();
        var request = io.berth.cri.v1.UpdatePodSandboxResourcesRequest.newBuilder().setPodSandboxId(pod.id());
        request.getResourcesBuilder().setMemoryLimitInBytes(64 << 20);
        CRI.runtime().updatePodSandboxResources(request.build());
        Cri.refused(Status.Code.NOT_FOUND, () -> CRI.runtime().updatePodSandboxResources(
                request.setPodSandboxId(UNKNOWN).build()));
    }
}
