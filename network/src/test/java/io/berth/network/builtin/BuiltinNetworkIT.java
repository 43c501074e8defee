package io.berth.network.builtin;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.berth.base.RandomId;
import io.berth.base.RuntimeFault;
import io.berth.linux.Command;
import io.berth.linux.Links;
import io.berth.linux.Namespaces;
import io.berth.linux.Netlink;
import io.berth.network.AttachRequest;
import io.berth.network.Attachment;
import io.berth.network.DetachRequest;
import io.berth.network.PortMapping;
import io.berth.network.PortMapping.Protocol;
import io.berth.network.TestNamespace;
import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.Inet4Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.NetworkInterface;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The built-in network with real namespaces. Needs root; each test has a bridge, a subnet and a table of its own. */
class BuiltinNetworkIT {

    private static int used = (int) (ProcessHandle.current().pid() % 60);

    @TempDir
    Path directory;

    private final List<AutoCloseable> made = new ArrayList<>();
    private BuiltinSettings settings;
    private BuiltinNetwork network;

    @BeforeEach
    void open() {
        assumeTrue("root".equals(System.getProperty("user.name")), "needs root");
        int number = used++;
        String unique = RandomId.hex(3);
        settings = new BuiltinSettings("it_" + unique, "bt" + unique, Subnet.parse("10.199." + number + ".0/24"),
                Optional.of(Subnet.parse("fd99:be:" + Integer.toHexString(number + 1) + "::/64")), 0, true, true, directory);
        network = BuiltinNetwork.open(settings);
        assertEquals("", network.status().message());
    }

    @AfterEach
    void tearDown() throws Exception {
        for (AutoCloseable one : made.reversed()) {
            one.close();
        }
        network.teardown();
        assertTrue(link(settings.bridge()).isEmpty());
        for (String family : List.of("ip", "ip6")) {
            assertFalse(TestNamespace.host("ip", "-o", "link").stdoutText().contains(settings.bridge()), family);
        }
    }

    private TestNamespace namespace() {
        TestNamespace made = new TestNamespace(directory);
        this.made.add(made);
        return made;
    }

    private static AttachRequest request(TestNamespace namespace, PortMapping... ports) {
        return AttachRequest.of(RandomId.next(), "web", "default", "uid-1", namespace.file()).withPorts(List.of(ports));
    }

    private static Optional<Links.Link> link(String name) {
        try (Netlink netlink = Netlink.route()) {
            return new Links(netlink).find(name);
        }
    }

    @Test
    void twoPodsReachEachOtherAndTheHostOverBothFamilies() {
        TestNamespace first = namespace();
        TestNamespace second = namespace();
        Attachment a = network.attach(request(first));
        Attachment b = network.attach(request(second));
        assertEquals(2, a.addresses().size());
        assertFalse(a.addresses().getFirst().equals(b.addresses().getFirst()));
        for (InetAddress address : b.addresses()) {
            assertPings(first, address.getHostAddress());
        }
        assertPings(first, settings.subnet().gateway().getHostAddress());
        assertPings(second, a.addresses().getFirst().getHostAddress());
        assertTrue(a.rawResultJson().contains(a.addresses().getFirst().getHostAddress() + "/24"), a.rawResultJson());
    }

    private static void assertPings(TestNamespace from, String address) {
        Command.Output output = from.run("ping", "-c", "1", "-W", "3", address);
        assertEquals(0, output.exitCode(), address + ": " + output.stdoutText() + output.stderrText()
                + from.run("ip", "addr").stdoutText() + from.run("ip", "route").stdoutText());
    }

    @Test
    void podReachesTheOutsideUnderTheHostsAddress() throws Exception {
        Optional<InetAddress> host = hostAddress();
        assumeTrue(host.isPresent(), "the machine has no address but loopback");
        TestNamespace pod = namespace();
        network.attach(request(pod));
        try (TestNamespace _ = outside()) {
            // The outside has no route to the pods: an answer comes only to the host's address.
            assertPings(pod, "10.198.77.2");
        }
    }

    private TestNamespace outside() {
        TestNamespace outside = new TestNamespace(directory);
        run("ip", "link", "add", "bto" + settings.bridge(), "type", "veth", "peer", "name", "up0", "netns",
                outside.file().toString());
        run("ip", "addr", "add", "10.198.77.1/24", "dev", "bto" + settings.bridge());
        run("ip", "link", "set", "bto" + settings.bridge(), "up");
        assertEquals(0, outside.run("ip", "addr", "add", "10.198.77.2/24", "dev", "up0").exitCode());
        assertEquals(0, outside.run("ip", "link", "set", "up0", "up").exitCode());
        made.add(() -> TestNamespace.host("ip", "link", "delete", "bto" + settings.bridge()));
        return outside;
    }

    private static void run(String... command) {
        Command.Output output = TestNamespace.host(command);
        assertEquals(0, output.exitCode(), output.stderrText());
    }

    @Test
    void hostPortsAnswerAtLoopbackAtTheHostsAddressAndFromAPod() throws Exception {
        TestNamespace server = namespace();
        TestNamespace client = namespace();
        int port = freePort();
        AttachRequest request = request(server, new PortMapping(Protocol.TCP, 8080, port, ""));
        Attachment attached = network.attach(request);
        network.attach(request(client));
        serve(server, 8080);
        assertEquals("hello", ask(new InetSocketAddress("127.0.0.1", port)));
        assertEquals("hello", ask(new InetSocketAddress(settings.subnet().gateway(), port)));
        assertEquals("hello", ask(new InetSocketAddress(attached.addresses().getFirst(), 8080)));
        String gateway = settings.subnet().gateway().getHostAddress();
        for (TestNamespace from : List.of(client, server)) {
            InetSocketAddress address = new InetSocketAddress(gateway, port);
            assertEquals("hello", askOn(socketIn(from), address));
        }
        network.detach(request.toDetach());
        assertThrows(IOException.class, () -> ask(new InetSocketAddress("127.0.0.1", port)));
    }

    @Test
    void hostPortIsReachableFromOutsideAndOnlyAtItsHostIp() throws Exception {
        TestNamespace server = namespace();
        int port = freePort();
        network.attach(request(server, new PortMapping(Protocol.TCP, 8080, port, "10.198.77.1")));
        serve(server, 8080);
        try (TestNamespace outside = outside()) {
            assertEquals("hello", askOn(socketIn(outside), new InetSocketAddress("10.198.77.1", port)));
            assertThrows(IOException.class, () -> ask(new InetSocketAddress("127.0.0.1", port)));
        }
    }

    @Test
    void udpHostPortAnswersAlsoAClientThatSentBeforeThePodWasThere() throws Exception {
        TestNamespace outsider = outside();
        made.add(outsider);
        TestNamespace server = namespace();
        int port = freePort();
        InetSocketAddress address = new InetSocketAddress("10.198.77.1", port);
        try (DatagramSocket client = Namespaces.in(outsider.file(), () -> new DatagramSocket(4000))) {
            client.setSoTimeout(3000);
            client.send(new DatagramPacket(new byte[1], 1, address));
            network.attach(request(server, new PortMapping(Protocol.UDP, 5353, port, "")));
            DatagramSocket listening = Namespaces.in(server.file(), () -> new DatagramSocket(5353));
            made.add(listening);
            Thread.ofPlatform().daemon().start(() -> echo(listening));
            client.send(new DatagramPacket("ping".getBytes(StandardCharsets.UTF_8), 4, address));
            DatagramPacket answer = new DatagramPacket(new byte[16], 16);
            client.receive(answer);
            assertEquals("ping", new String(answer.getData(), 0, answer.getLength(), StandardCharsets.UTF_8));
        }
    }

    private static void echo(DatagramSocket listening) {
        try {
            DatagramPacket packet = new DatagramPacket(new byte[16], 16);
            listening.receive(packet);
            listening.send(packet);
        } catch (IOException closed) {
            // The test is over.
        }
    }

    @Test
    void bandwidthAnnotationsLimitBothDirections() {
        TestNamespace pod = namespace();
        AttachRequest request = request(pod).withAnnotations(Map.of(
                "kubernetes.io/ingress-bandwidth", "10M", "kubernetes.io/egress-bandwidth", "2M"));
        network.attach(request);
        String port = Lease.interfaceName(request.sandboxId());
        String host = TestNamespace.host("tc", "qdisc", "show", "dev", port).stdoutText();
        assertTrue(host.contains("tbf") && host.contains("rate 10Mbit"), host);
        String inside = pod.run("tc", "qdisc", "show", "dev", "eth0").stdoutText();
        assertTrue(inside.contains("tbf") && inside.contains("rate 2Mbit"), inside);
        assertPings(pod, settings.subnet().gateway().getHostAddress());
        RuntimeFault fault = assertThrows(RuntimeFault.class, () -> network.attach(request(namespace())
                .withAnnotations(Map.of("kubernetes.io/egress-bandwidth", "much"))));
        assertEquals(RuntimeFault.Kind.INVALID_ARGUMENT, fault.kind());
    }

    @Test
    void podsDoNotReachTheHostsLoopback() throws Exception {
        TestNamespace pod = namespace();
        network.attach(request(pod));
        try (ServerSocket secret = new ServerSocket(0, 5, InetAddress.ofLiteral("127.0.0.1"))) {
            // The pod's own loopback is taken out of the way, so that the packets leave it.
            String gateway = settings.subnet().gateway().getHostAddress();
            Command.Output output = pod.run("sh", "-c", "echo 1 > /proc/sys/net/ipv4/conf/all/route_localnet"
                    + " && ip addr del 127.0.0.1/8 dev lo && ip route add 127.0.0.1/32 via " + gateway
                    + " && python3 -c \"import socket; socket.create_connection(('127.0.0.1', "
                    + secret.getLocalPort() + "), 1)\"");
            assertTrue(output.stderrText().contains("timed out"), output.stderrText());
        }
    }

    @Test
    void takenHostPortIsRefusedAndLeavesNothing() throws IOException {
        PortMapping port = new PortMapping(Protocol.TCP, 80, freePort(), "");
        network.attach(request(namespace(), port));
        TestNamespace second = namespace();
        AttachRequest request = request(second, port);
        RuntimeFault fault = assertThrows(RuntimeFault.class, () -> network.attach(request));
        assertEquals(RuntimeFault.Kind.ALREADY_EXISTS, fault.kind());
        assertTrue(fault.getMessage().contains("TCP " + port.hostPort()), fault.getMessage());
        assertTrue(link(Lease.interfaceName(request.sandboxId())).isEmpty());
        assertFalse(second.run("ip", "-o", "link").stdoutText().contains("eth0"));
        assertEquals(1, addressFiles().size());
    }

    @Test
    void detachLeavesNothingOnceTheNamespaceEnded() throws Exception {
        TestNamespace pod = new TestNamespace(directory);
        AttachRequest request = request(pod);
        network.attach(request);
        network.detach(request.toDetach());
        network.detach(request.toDetach());
        pod.close();
        await(() -> link(Lease.interfaceName(request.sandboxId())).isEmpty());
        network.recover(Set.of());
        assertEquals(Set.of(), addressFiles());
        try (var released = Files.list(directory.resolve("ipam/released"))) {
            assertEquals(0, released.count());
        }
    }

    @Test
    void detachSucceedsWhenTheNamespaceIsGoneAndWhenNothingWasAttached() throws Exception {
        TestNamespace pod = new TestNamespace(directory);
        AttachRequest request = request(pod);
        network.attach(request);
        pod.close();
        network.detach(new DetachRequest(request.sandboxId(), "web", "default", "uid-1", Optional.empty()));
        network.detach(new DetachRequest(RandomId.next(), "none", "default", "uid-2", Optional.empty()));
        assertEquals(Set.of(), addressFiles());
    }

    @Test
    void attachTwiceAnswersTheSame() {
        AttachRequest request = request(namespace());
        assertEquals(network.attach(request), network.attach(request));
        network.check(request);
    }

    @Test
    void anotherProcessTakesOverAndRecoverReleasesTheDead() throws Exception {
        AttachRequest live = request(namespace(), new PortMapping(Protocol.TCP, 8080, freePort(), ""));
        AttachRequest dead = request(namespace(), new PortMapping(Protocol.TCP, 8080, freePort(), ""));
        network.attach(live);
        network.attach(dead);
        network.close();
        network = BuiltinNetwork.open(settings);
        assertEquals(Set.of(), network.recover(Set.of(live.sandboxId())));
        assertEquals(1, addressFiles().size());
        network.check(live);
        assertThrows(RuntimeFault.class, () -> network.check(dead));
        network.attach(request(namespace(), dead.ports().getFirst()));
        assertThrows(RuntimeFault.class, () -> network.attach(request(namespace(), live.ports().getFirst())));
    }

    @Test
    void bridgeAndTableThatWereRemovedComeBackWithTheNextPod() throws Exception {
        TestNamespace first = namespace();
        int port = freePort();
        network.attach(request(first, new PortMapping(Protocol.TCP, 8080, port, "")));
        try (Netlink netfilter = Netlink.netfilter()) {
            var tables = new io.berth.linux.Nftables(netfilter, io.berth.linux.Nftables.Family.IPV4, settings.table());
            tables.begin().deleteTable().commit();
            network.attach(request(namespace()));
            assertTrue(tables.exists());
        }
        serve(first, 8080);
        assertEquals("hello", ask(new InetSocketAddress("127.0.0.1", port)));
        run("ip", "link", "delete", settings.bridge());
        network.attach(request(namespace()));
        assertTrue(link(settings.bridge()).orElseThrow().up());
        assertEquals("hello", ask(new InetSocketAddress("127.0.0.1", port)));
    }

    @Test
    void manyAtOnceGetAddressesOfTheirOwn() throws Exception {
        List<AttachRequest> requests = new ArrayList<>();
        for (int i = 0; i < 20; i++) {
            requests.add(request(namespace()));
        }
        try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
            var running = requests.stream().map(one -> threads.submit(() -> network.attach(one))).toList();
            Set<InetAddress> addresses = new HashSet<>();
            for (var one : running) {
                addresses.addAll(one.get().addresses());
            }
            assertEquals(2 * requests.size(), addresses.size());
        }
    }

    @Test
    void reloadWhilePodsAreAttachedBreaksNeither() throws Exception {
        List<AttachRequest> requests = new ArrayList<>();
        for (int i = 0; i < 8; i++) {
            requests.add(request(namespace(), new PortMapping(Protocol.TCP, 80, 29100 + i, "")));
        }
        try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
            var running = requests.stream().map(one -> threads.submit(() -> network.attach(one))).toList();
            for (int i = 0; i < 10; i++) {
                network.reload();
            }
            for (var one : running) {
                one.get();
            }
        }
        serve(namespaceOf(requests.getLast()), 80);
        assertEquals("hello", ask(new InetSocketAddress("127.0.0.1", 29107)));
        requests.forEach(one -> network.detach(one.toDetach()));
        assertEquals("", network.status().message());
    }

    private TestNamespace namespaceOf(AttachRequest request) {
        return made.stream().filter(TestNamespace.class::isInstance).map(TestNamespace.class::cast)
                .filter(one -> one.file().equals(request.netns())).findFirst().orElseThrow();
    }

    private Set<String> addressFiles() throws IOException {
        try (var files = Files.list(directory.resolve("ipam"))) {
            return files.filter(Files::isRegularFile).map(file -> file.getFileName().toString())
                    .collect(java.util.stream.Collectors.toSet());
        }
    }

    private void serve(TestNamespace namespace, int port) {
        ServerSocket listening = Namespaces.in(namespace.file(), () -> new ServerSocket(port));
        made.add(listening);
        Thread.ofPlatform().daemon().start(() -> {
            while (true) {
                try (Socket accepted = listening.accept()) {
                    accepted.getOutputStream().write("hello".getBytes(StandardCharsets.UTF_8));
                } catch (IOException closed) {
                    return;
                }
            }
        });
    }

    private static Socket socketIn(TestNamespace namespace) {
        return Namespaces.in(namespace.file(), () -> {
            Socket socket = new Socket();
            // Binding makes the descriptor now, in this namespace.
            socket.bind(new InetSocketAddress(0));
            return socket;
        });
    }

    private static String ask(InetSocketAddress address) throws IOException {
        return askOn(new Socket(), address);
    }

    private static String askOn(Socket socket, InetSocketAddress address) throws IOException {
        try (socket) {
            socket.connect(address, 2000);
            socket.setSoTimeout(2000);
            return new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        }
    }

    private static int freePort() throws IOException {
        try (ServerSocket probe = new ServerSocket(0)) {
            return probe.getLocalPort();
        }
    }

    private static Optional<InetAddress> hostAddress() throws IOException {
        return NetworkInterface.networkInterfaces().flatMap(NetworkInterface::inetAddresses)
                .filter(one -> one instanceof Inet4Address && !one.isLoopbackAddress()).findFirst();
    }

    private static void await(Callable<Boolean> condition) throws Exception {
        long deadline = System.nanoTime() + Duration.ofSeconds(5).toNanos();
        while (!condition.call()) {
            assertTrue(System.nanoTime() < deadline, "waited for 5 seconds");
            Thread.sleep(10);
        }
    }
}
