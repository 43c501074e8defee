package io.berth.it.conformance;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.berth.cri.v1.NamespaceMode;
import io.berth.cri.v1.PortMapping;
import java.io.IOException;
import java.net.InetAddress;
import java.net.NetworkInterface;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Names, addresses, name servers, sysctls and host ports of a pod. */
@Timeout(120)
class NetworkConformanceIT {

    @RegisterExtension
    static final Cri CRI = new Cri();

    private static String ip(Cri.Pod pod) {
        return PodSandboxConformanceIT.status(CRI, pod.id()).getNetwork().getIp();
    }

    /** What a web server answers, or why it does not. */
    private static String fetch(String host, int port) {
        try (Socket socket = new Socket(InetAddress.getByName(host), port)) {
            socket.setSoTimeout(5000);
            socket.getOutputStream().write("GET / HTTP/1.0\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
            return new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            return e.toString();
        }
    }

    private static void awaitPage(String host, int port) {
        Cri.await("a page from " + host + ":" + port, () -> fetch(host, port).contains("a page for tests"));
    }

    private static int freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0)) {
            return socket.getLocalPort();
        }
    }

    private static Cri.Pod web(PortMapping.Builder... ports) {
        var pod = CRI.pod(config -> Stream.of(ports).forEach(config::addPortMappings));
        CRI.run(pod, config -> { }, "httpd", "-f", "-p", "80", "-h", "/www");
        return pod;
    }

    @Test
    void theHostnameIsThePods() {
        String container = CRI.sleeper(CRI.pod(config -> config.setHostname("lighthouse")));
        assertEquals("lighthouse\n", CRI.out(container, "hostname"));
        assertEquals("lighthouse\n", CRI.out(container, "cat", "/etc/hostname"));
        assertTrue(CRI.out(container, "env").contains("HOSTNAME=lighthouse\n"));
    }

    @Test
    void thePodsOwnNameResolvesToItsAddress() {
        CRI.onlyOnBerth("whether /etc/hosts has the pod's name is the kubelet's affair, it mounts its own");
        var pod = CRI.pod(config -> config.setHostname("lighthouse"));
        assertTrue(CRI.out(CRI.sleeper(pod), "cat", "/etc/hosts").contains(ip(pod) + "\tlighthouse\n"));
    }

    @Test
    void localhostResolves() {
        assertTrue(CRI.out(CRI.sleeper(CRI.pod()), "cat", "/etc/hosts").lines()
                .anyMatch(line -> line.matches("127\\.0\\.0\\.1\\s+.*localhost.*")));
    }

    @Test
    void nameServersSearchDomainsAndOptionsAreThePods() {
        var pod = CRI.pod(config -> config.getDnsConfigBuilder().addServers("192.0.2.53").addServers("192.0.2.54")
                .addSearches("svc.local").addSearches("local").addOptions("ndots:5").addOptions("timeout:1"));
        String text = CRI.out(CRI.sleeper(pod), "cat", "/etc/resolv.conf");
        assertTrue(text.contains("nameserver 192.0.2.53\nnameserver 192.0.2.54\n"), text);
        assertTrue(text.contains("search svc.local local\n"), text);
        assertTrue(text.contains("options ndots:5 timeout:1\n"), text);
    }

    @Test
    void withoutADnsConfigurationTheNodesHolds() throws IOException {
        assertEquals(Files.readString(Path.of("/etc/resolv.conf")), CRI.out(CRI.sleeper(CRI.pod()), "cat", "/etc/resolv.conf"));
    }

    @Test
    void thePodHasTheAddressThatItsStatusTells() {
        var pod = CRI.pod();
        assertTrue(CRI.out(CRI.sleeper(pod), "ip", "-4", "addr", "show", "eth0").contains(ip(pod) + "/"));
    }

    @Test
    void twoPodsHaveTwoAddressesAndReachEachOther() {
        var server = web();
        var other = CRI.pod();
        String client = CRI.sleeper(other);
        assertNotEquals(ip(server), ip(other));
        Cri.await("the page", () -> CRI.exec(client, "wget", "-q", "-O", "-", "http://" + ip(server) + "/").getExitCode() == 0);
    }

    @Test
    void theNodeReachesThePod() {
        var pod = web(PortMapping.newBuilder().setContainerPort(80));
        awaitPage(ip(pod), 80);
    }

    @Test
    void aHostPortLeadsToThePod() throws IOException {
        int port = freePort();
        var pod = web(PortMapping.newBuilder().setContainerPort(80).setHostPort(port));
        awaitPage(ip(pod), 80);
        awaitPage(nodeAddress(), port);
        CRI.remove(pod);
        assertFalse(fetch(nodeAddress(), port).contains("a page for tests"), "the port is closed with the pod");
    }

    @Test
    void aHostPortOnLoopbackWorksFromTheNode() throws IOException {
        int port = freePort();
        web(PortMapping.newBuilder().setContainerPort(80).setHostPort(port).setHostIp("127.0.0.1"));
        awaitPage("127.0.0.1", port);
    }

    private static String nodeAddress() throws IOException {
        return Collections.list(NetworkInterface.getNetworkInterfaces()).stream()
                .flatMap(card -> Collections.list(card.getInetAddresses()).stream())
                .filter(address -> address.getAddress().length == 4 && !address.isLoopbackAddress())
                .findFirst().orElse(InetAddress.getLoopbackAddress()).getHostAddress();
    }

    @Test
    void safeSysctlsAreSetInThePodOnly() throws IOException {
        String before = Files.readString(Path.of("/proc/sys/kernel/shm_rmid_forced"));
        var pod = CRI.pod(config -> config.getLinuxBuilder().putSysctls("kernel.shm_rmid_forced", "1")
                .putSysctls("net.ipv4.ip_local_port_range", "20000 30000"));
        String container = CRI.sleeper(pod);
        assertEquals("1\n", CRI.out(container, "cat", "/proc/sys/kernel/shm_rmid_forced"));
        assertEquals("20000\t30000\n", CRI.out(container, "cat", "/proc/sys/net/ipv4/ip_local_port_range"));
        assertEquals(before, Files.readString(Path.of("/proc/sys/kernel/shm_rmid_forced")));
    }

    @Test
    void unsafeSysctlsOfThePodsNamespacesAreSetToo() {
        var pod = CRI.pod(config -> config.getLinuxBuilder().putSysctls("fs.mqueue.msg_max", "100")
                .putSysctls("kernel.shmmni", "2048").putSysctls("net.core.somaxconn", "555"));
        String container = CRI.sleeper(pod);
        assertEquals("100\n", CRI.out(container, "cat", "/proc/sys/fs/mqueue/msg_max"));
        assertEquals("2048\n", CRI.out(container, "cat", "/proc/sys/kernel/shmmni"));
        assertEquals("555\n", CRI.out(container, "cat", "/proc/sys/net/core/somaxconn"));
    }

    @Test
    void aSysctlOfTheNodeIsRefused() {
        Cri.refused(() -> {
            var pod = CRI.pod(config -> {
                config.getLinuxBuilder().getSecurityContextBuilder().getNamespaceOptionsBuilder().setIpc(NamespaceMode.NODE);
                config.getLinuxBuilder().putSysctls("kernel.shm_rmid_forced", "1");
            });
            CRI.sleeper(pod);
        });
    }

    @Test
    void everyProcessMayBindLowPorts() {
        CRI.onlyOnBerth("another runtime's default may differ");
        String container = CRI.sleeper(CRI.pod());
        assertEquals("0\n", CRI.out(container, "cat", "/proc/sys/net/ipv4/ip_unprivileged_port_start"));
    }
}
