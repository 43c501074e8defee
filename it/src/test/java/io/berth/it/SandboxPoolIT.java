package io.berth.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.berth.cli.scratch.PodClient;
import io.berth.cri.v1.ListPodSandboxRequest;
import io.berth.cri.v1.NamespaceMode;
import io.berth.cri.v1.NamespaceOption;
import io.berth.cri.v1.PodSandboxConfig;
import io.berth.cri.v1.PodSandboxStatusRequest;
import io.berth.cri.v1.PortMapping;
import io.berth.linux.Links;
import io.berth.linux.Mounts;
import io.berth.linux.Netlink;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Sandboxes that are made ahead become pods like any other, and are nobody's burden when they do not. */
@Timeout(300)
class SandboxPoolIT {

    private static final int SIZE = 2;

    @RegisterExtension
    private final TestDaemon daemon = TestDaemon.with("[runtime]\nsandbox_pool = " + SIZE + "\n");

    private Prepared prepared;

    @BeforeEach
    void image() {
        TestImages.busybox(daemon);
        prepared = new Prepared(daemon);
    }

    private PodSandboxConfig config(String name) {
        return PodClient.config(name, daemon.node().logs());
    }

    private void end(PodClient.Pod pod) {
        daemon.pods().stop(pod);
        daemon.pods().remove(pod);
    }

    private String shell(String container, String command) {
        return daemon.pods().exec(container, "sh", "-c", command).getStdout().toStringUtf8().strip();
    }

    private String address(PodClient.Pod pod) {
        return daemon.connection().runtime().podSandboxStatus(PodSandboxStatusRequest.newBuilder()
                .setPodSandboxId(pod.id()).build()).getStatus().getNetwork().getIp();
    }

    @Test
    void aPodGetsAPreparedSandboxWithAllThatItAskedFor() throws Exception {
        Set<String> before = prepared.await(SIZE, "the start");
        assertEquals(0, daemon.connection().runtime().listPodSandbox(ListPodSandboxRequest.getDefaultInstance())
                .getItemsCount(), "prepared sandboxes are shown to nobody");
        int port = freePort();
        var wanted = config("web").toBuilder().addPortMappings(PortMapping.newBuilder().setContainerPort(80).setHostPort(port));
        wanted.getLinuxBuilder().putSysctls("net.ipv4.tcp_syncookies", "0").putSysctls("kernel.shm_rmid_forced", "1");
        PodClient.Pod pod = daemon.pods().run(wanted.build());
        assertTrue(before.contains(pod.id()), "made ahead");
        String container = daemon.pods().run(pod, PodClient.container("c", "sh", "-c",
                "echo found > /tmp/index.html; exec httpd -f -p 80 -h /tmp"));
        assertEquals("web", shell(container, "hostname"));
        assertEquals("web", shell(container, "cat /etc/hostname"));
        assertEquals("0 1 0", shell(container, "echo $(cat /proc/sys/net/ipv4/tcp_syncookies"
                + " /proc/sys/kernel/shm_rmid_forced /proc/sys/net/ipv4/ip_unprivileged_port_start)"));
        String address = address(pod);
        assertTrue(shell(container, "ip -4 -o addr show eth0").contains(" " + address + "/"), address);
        assertTrue(shell(container, "cat /etc/hosts").contains(address + "\tweb"), address);
        assertEquals("found", fetched(daemon.node().subnet().gateway().getHostAddress(), port));
        end(pod);
        Set<String> after = prepared.await(SIZE, "the pod");
        assertFalse(after.contains(pod.id()));
        prepared.assertNothingBeside(Set.of(), "the pod");
    }

    private static int freePort() throws IOException {
        try (ServerSocket free = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return free.getLocalPort();
        }
    }

    private static String fetched(String host, int port) throws Exception {
        IOException last = new IOException("not tried");
        for (int tries = 0; tries < 100; tries++) {
            try (Socket socket = new Socket()) {
                socket.connect(new InetSocketAddress(host, port), 2000);
                socket.getOutputStream().write("GET /index.html HTTP/1.0\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
                String answer = new String(socket.getInputStream().readAllBytes(), StandardCharsets.US_ASCII);
                return answer.substring(answer.indexOf("\r\n\r\n") + 4).strip();
            } catch (IOException notYet) {
                last = notYet;
                Thread.sleep(50);
            }
        }
        throw last;
    }

    @Test
    void podsWithNamespacesOfAnotherKindAreMadeWhenTheyCome() throws Exception {
        prepared.await(SIZE, "the start");
        List<PodClient.Pod> pods = new ArrayList<>();
        for (NamespaceOption modes : List.of(
                NamespaceOption.newBuilder().setPid(NamespaceMode.CONTAINER).setNetwork(NamespaceMode.NODE).build(),
                NamespaceOption.newBuilder().setPid(NamespaceMode.CONTAINER).setIpc(NamespaceMode.NODE).build())) {
            Set<String> before = prepared.ids();
            var wanted = config("p" + pods.size()).toBuilder();
            wanted.getLinuxBuilder().getSecurityContextBuilder().setNamespaceOptions(modes);
            PodClient.Pod pod = daemon.pods().run(wanted.build());
            assertFalse(before.contains(pod.id()));
            pods.add(pod);
        }
        pods.forEach(this::end);
    }

    @Test
    void aPodThatSharesItsProcessesGetsAPreparedSandbox() throws Exception {
        Set<String> before = prepared.await(SIZE, "the start");
        var wanted = config("shared").toBuilder();
        wanted.getLinuxBuilder().getSecurityContextBuilder().setNamespaceOptions(NamespaceOption.getDefaultInstance());
        PodClient.Pod pod = daemon.pods().run(wanted.build());
        assertTrue(before.contains(pod.id()), "made ahead");
        var container = PodClient.container("c", "sleep", "1000").toBuilder();
        container.getLinuxBuilder().getSecurityContextBuilder().setNamespaceOptions(NamespaceOption.getDefaultInstance());
        String id = daemon.pods().run(pod, container.build());
        assertFalse(shell(id, "cat /proc/1/cmdline").contains("sleep"), "the first process is the sandbox's");
        end(pod);
        prepared.await(SIZE, "the pod");
    }

    @Test
    void whatAKilledDaemonMadeAheadIsGoneAfterTheNextStart() throws Exception {
        Set<String> before = prepared.await(SIZE, "the start");
        daemon.kill9();
        daemon.start();
        Set<String> after = prepared.await(SIZE, "the kill");
        assertTrue(after.stream().noneMatch(before::contains), "made anew");
        prepared.assertNothingBeside(Set.of(), "the kill");
    }

    @Test
    void aDaemonThatIsStoppedTakesAwayWhatItMadeAhead() throws Exception {
        prepared.await(SIZE, "the start");
        daemon.stop();
        assertEquals(Set.of(), prepared.ids());
        prepared.assertNothingBeside(Set.of(), "the stop");
        daemon.start();
    }

    @Test
    void morePodsAtOnceThanWereMadeAheadAllRun() throws Exception {
        Set<String> before = prepared.await(SIZE, "the start");
        List<Callable<PodClient.Pod>> starts = new ArrayList<>();
        for (int i = 0; i < 10; i++) {
            PodSandboxConfig config = config("many" + i);
            starts.add(() -> {
                PodClient.Pod pod = daemon.pods().run(config);
                daemon.pods().run(pod, PodClient.container("c", "sleep", "1000"));
                return pod;
            });
        }
        List<PodClient.Pod> pods = new ArrayList<>();
        try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
            for (Future<PodClient.Pod> each : threads.invokeAll(starts)) {
                pods.add(each.get());
            }
        }
        Set<String> ids = new TreeSet<>();
        Set<String> addresses = new HashSet<>();
        pods.forEach(pod -> {
            ids.add(pod.id());
            addresses.add(address(pod));
        });
        assertEquals(10, ids.size());
        assertEquals(10, addresses.size(), addresses.toString());
        assertTrue(ids.containsAll(before), "those made ahead were taken");
        pods.forEach(this::end);
        prepared.await(SIZE, "ten pods");
        prepared.assertNothingBeside(Set.of(), "ten pods");
    }

    @Test
    void aBridgeThatSomebodyDeletedIsThereAgainForAPreparedSandbox() throws Exception {
        Set<String> before = prepared.await(SIZE, "the start");
        try (Netlink route = Netlink.route()) {
            new Links(route).delete(daemon.node().bridge());
        }
        PodClient.Pod pod = daemon.pods().run(config("rejoined"));
        assertTrue(before.contains(pod.id()), "made ahead");
        String container = daemon.pods().run(pod, PodClient.container("c", "sleep", "1000"));
        String gateway = daemon.node().subnet().gateway().getHostAddress();
        assertTrue(shell(container, "ping -c 1 -W 5 " + gateway).contains(" 0% packet loss"));
        end(pod);
    }

    @Test
    void oneWhoseNamespaceSomebodyUnmountedIsNotTaken() throws Exception {
        Set<String> before = prepared.await(SIZE, "the start");
        before.forEach(id -> Mounts.unmount(daemon.node().state().resolve("sandboxes").resolve(id).resolve("ns/ipc")));
        PodClient.Pod pod = daemon.pods().run(config("whole"));
        assertFalse(before.contains(pod.id()));
        end(pod);
        // Reconciliation would do it within a minute; a start does it at once.
        daemon.restart();
        prepared.await(SIZE, "the restart");
        prepared.assertNothingBeside(Set.of(), "the restart");
    }
}
