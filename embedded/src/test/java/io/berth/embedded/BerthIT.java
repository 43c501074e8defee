package io.berth.embedded;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.berth.base.RuntimeFault;
import io.berth.cli.scratch.BusyboxImage;
import io.berth.cli.scratch.ScratchNode;
import io.berth.cri.v1.ContainerStatusRequest;
import io.berth.cri.v1.ListPodSandboxRequest;
import io.berth.linux.Mounts;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(120)
class BerthIT {

    @TempDir
    Path image;

    @BeforeEach
    void write() {
        BusyboxImage.write(image, "page");
    }

    @Test
    void podsRunAndNothingIsLeftOfThemOrOfTheRuntime() throws Exception {
        Path directory;
        String bridge;
        try (Berth berth = Berth.start(BerthOptions.temporary().withImage(image))) {
            directory = berth.socket().getParent();
            bridge = directory.getFileName().toString();
            EmbeddedPod first = berth.run(BusyboxImage.NAME, "sh", "-c", "echo out; echo err >&2; exit 3");
            assertEquals(3, first.awaitExit(Duration.ofSeconds(10)));
            first.awaitLog("err", Duration.ofSeconds(10));
            assertTrue(first.log().contains("out"), first.log().toString());
            EmbeddedPod second = berth.run(BusyboxImage.NAME, "sleep", "1000");
            var result = second.exec("sh", "-c", "echo a; echo b >&2; exit 4");
            assertEquals(new EmbeddedPod.Result(4, "a\n", "b\n"), result);
            first.remove();
            assertEquals(1, berth.runtime().listPodSandbox(ListPodSandboxRequest.getDefaultInstance()).getItemsCount());
            assertTrue(Files.exists(Path.of("/sys/class/net", bridge)));
        }
        assertFalse(Files.exists(directory));
        assertFalse(Files.exists(Path.of("/sys/class/net", bridge)));
        assertEquals(List.of(), Mounts.at(directory));
    }

    @Test
    void twoRunBesideEachOther() {
        try (Berth one = Berth.start(BerthOptions.temporary().withImage(image));
                Berth other = Berth.start(BerthOptions.temporary().withImage(image))) {
            EmbeddedPod inOne = one.run(BusyboxImage.NAME, "sleep", "1000");
            EmbeddedPod inOther = other.run(BusyboxImage.NAME, "sleep", "1000");
            assertFalse(inOne.address().equals(inOther.address()));
            var foreign = ContainerStatusRequest.newBuilder().setContainerId(inOne.containerId()).build();
            assertEquals(Status.Code.NOT_FOUND, assertThrows(StatusRuntimeException.class,
                    () -> other.runtime().containerStatus(foreign)).getStatus().getCode());
        }
    }

    @Test
    void podsOfALastingRuntimeLiveOnWithoutIt() {
        ScratchNode node = ScratchNode.create();
        try {
            BerthOptions options = BerthOptions.of(node.config()).with("root", node.root().toString())
                    .with("state", node.state().toString()).with("grpc.address", node.socket().toString());
            EmbeddedPod pod;
            try (Berth berth = Berth.start(options.withImage(image))) {
                pod = berth.run(BusyboxImage.NAME, "sleep", "1000");
            }
            assertFalse(node.podTraces(Optional.empty()).isEmpty());
            try (Berth again = Berth.start(options)) {
                assertEquals(pod.id(), again.runtime().listPodSandbox(ListPodSandboxRequest.getDefaultInstance()).getItems(0).getId());
                again.removePods();
            }
            assertEquals(List.of(), node.podTracesAtRest(Optional.empty()).lines());
        } finally {
            node.destroy();
        }
    }

    @Test
    void anUnknownKeyIsToldAndLeavesNothing() {
        RuntimeFault fault = assertThrows(RuntimeFault.class,
                () -> Berth.start(BerthOptions.temporary().with("runtime.no_such", true)));
        assertEquals(RuntimeFault.Kind.INVALID_ARGUMENT, fault.kind());
        assertTrue(fault.getMessage().contains("runtime.no_such"), fault.getMessage());
    }

    @Test
    void anImageThatCannotBeReadIsToldAndLeavesNothing(@TempDir Path temporary, @TempDir Path empty) {
        String usual = System.setProperty("java.io.tmpdir", temporary.toString());
        try {
            assertThrows(StatusRuntimeException.class, () -> Berth.start(BerthOptions.temporary().withImage(empty)));
        } finally {
            System.setProperty("java.io.tmpdir", usual);
        }
        assertArrayEquals(new String[0], temporary.toFile().list());
    }
}
