package io.berth.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.berth.cli.scratch.BusyboxImage;
import io.berth.cli.scratch.PodClient;
import io.berth.cri.v1.ImageSpec;
import io.berth.cri.v1.IDMapping;
import io.berth.cri.v1.LinuxPodSandboxConfig;
import io.berth.cri.v1.Mount;
import io.berth.cri.v1.PodSandboxConfig;
import io.berth.cri.v1.PullImageRequest;
import io.berth.cri.v1.RunPodSandboxRequest;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.function.Executable;

/** Bad input gets the right status and a message that names the thing and the cure, and leaves nothing behind. */
@Timeout(120)
class BadInputIT {

    @RegisterExtension
    private final TestDaemon daemon = TestDaemon.withBuiltinNetwork();

    private static void assertRefused(Status.Code code, List<String> words, Executable call) {
        Status status = assertThrows(StatusRuntimeException.class, call).getStatus();
        assertEquals(code, status.getCode(), status.getDescription());
        words.forEach(word -> assertTrue(status.getDescription().contains(word),
                "\"" + word + "\" is missing in: " + status.getDescription()));
    }

    private PodSandboxConfig config(String name) {
        return PodClient.config(name, daemon.node().logs());
    }

    private void pull(String reference) {
        daemon.connection().images().pullImage(PullImageRequest.newBuilder()
                .setImage(ImageSpec.newBuilder().setImage(reference)).build());
    }

    @Test
    void anImageThatIsNotOnTheNodeIsNamedWithTheCure() {
        var pods = daemon.pods();
        var pod = pods.run(config("pod"));
        assertRefused(Status.Code.NOT_FOUND, List.of("docker.io/library/nosuch", "pull it first"), () -> pods.create(pod,
                PodClient.container("c", "true").toBuilder()
                        .setImage(ImageSpec.newBuilder().setImage("docker.io/library/nosuch:1")).build()));
        pods.stop(pod);
        pods.remove(pod);
        daemon.assertNothingLeft();
    }

    @Test
    void anUnreachableRegistryIsNamed() {
        // Port 1 on loopback: nothing listens there.
        assertRefused(Status.Code.UNAVAILABLE, List.of("127.0.0.1:1", "app:1"), () -> pull("127.0.0.1:1/team/app:1"));
    }

    @Test
    void aMalformedReferenceOrDigestIsRefused() {
        assertRefused(Status.Code.INVALID_ARGUMENT, List.of("UPPER"), () -> pull("127.0.0.1:1/UPPER:1"));
        assertRefused(Status.Code.INVALID_ARGUMENT, List.of("sha256"), () -> pull("127.0.0.1:1/app@sha256:12"));
    }

    @Test
    void anUnknownHandlerIsNamedWithThoseThatThereAre() {
        assertRefused(Status.Code.INVALID_ARGUMENT, List.of("\"gvisor\"", "runc", "RuntimeClass"),
                () -> daemon.connection().runtime().runPodSandbox(RunPodSandboxRequest.newBuilder()
                        .setConfig(config("pod")).setRuntimeHandler("gvisor").build()));
        daemon.assertNothingLeft();
    }

    @Test
    void aMissingExecutableIsNamedAndLeavesNothing() {
        TestImages.busybox(daemon);
        var pods = daemon.pods();
        var pod = pods.run(config("pod"));
        assertRefused(Status.Code.INVALID_ARGUMENT, List.of("/no/such/program"),
                () -> pods.run(pod, PodClient.container("c", "/no/such/program")));
        pods.stop(pod);
        pods.remove(pod);
        daemon.assertNothingLeft();
    }

    @Test
    void aSecondSandboxOfTheSameNameIsRefusedWithTheIdOfTheFirst() {
        var pods = daemon.pods();
        var pod = pods.run(config("pod"));
        assertRefused(Status.Code.ALREADY_EXISTS, List.of("default/pod", pod.id(), "attempt"), () -> pods.run(config("pod")));
        pods.stop(pod);
        pods.remove(pod);
        daemon.assertNothingLeft();
    }

    @Test
    void aSecondContainerOfTheSameNameIsRefusedWithTheIdOfTheFirst() {
        TestImages.busybox(daemon);
        var pods = daemon.pods();
        var pod = pods.run(config("pod"));
        String first = pods.create(pod, PodClient.container("c", "true"));
        assertRefused(Status.Code.ALREADY_EXISTS, List.of(first), () -> pods.create(pod, PodClient.container("c", "true")));
        pods.stop(pod);
        pods.remove(pod);
        daemon.assertNothingLeft();
    }

    @Test
    void aContainerInAStoppedSandboxIsRefused() {
        TestImages.busybox(daemon);
        var pods = daemon.pods();
        var pod = pods.run(config("pod"));
        pods.stop(pod);
        assertRefused(Status.Code.FAILED_PRECONDITION, List.of(pod.id(), "not ready"),
                () -> pods.create(pod, PodClient.container("c", "true")));
        pods.remove(pod);
        daemon.assertNothingLeft();
    }

    @Test
    void aSysctlOfTheNodeIsRefused() {
        assertRefused(Status.Code.INVALID_ARGUMENT, List.of("kernel.panic"), () -> daemon.pods().run(config("pod").toBuilder()
                .setLinux(LinuxPodSandboxConfig.newBuilder().putSysctls("kernel.panic", "1")).build()));
        daemon.assertNothingLeft();
    }

    @Test
    void aSysctlValueThatTheKernelRefusesLeavesNothing() {
        assertRefused(Status.Code.INVALID_ARGUMENT, List.of("net.ipv4.ip_forward", "nonsense"),
                () -> daemon.pods().run(config("pod").toBuilder().setLinux(LinuxPodSandboxConfig.newBuilder()
                        .putSysctls("net.ipv4.ip_forward", "nonsense")).build()));
        daemon.assertNothingLeft();
    }

    @Test
    void aMountWithIdMappingsInAPodWithoutAUserNamespaceIsRefused() {
        TestImages.busybox(daemon);
        var pods = daemon.pods();
        var pod = pods.run(config("pod"));
        var mapping = IDMapping.newBuilder().setHostId(1000).setLength(10);
        assertRefused(Status.Code.INVALID_ARGUMENT, List.of("/etc/hostname", "user namespace"), () -> pods.create(pod,
                PodClient.container("c", "true").toBuilder().addMounts(Mount.newBuilder().setHostPath("/etc/hostname")
                        .setContainerPath("/x").addUidMappings(mapping).addGidMappings(mapping)).build()));
        pods.stop(pod);
        pods.remove(pod);
        daemon.assertNothingLeft();
    }

    @Test
    void anUnknownUserIsNamed() {
        TestImages.busybox(daemon);
        var pods = daemon.pods();
        var pod = pods.run(config("pod"));
        var container = PodClient.container("c", "true").toBuilder();
        container.getLinuxBuilder().getSecurityContextBuilder().setRunAsUsername("nosuchuser");
        assertRefused(Status.Code.INVALID_ARGUMENT, List.of("nosuchuser", "/etc/passwd"),
                () -> pods.create(pod, container.build()));
        assertEquals(BusyboxImage.NAME, container.getImage().getImage());
        pods.stop(pod);
        pods.remove(pod);
        daemon.assertNothingLeft();
    }
}
