package io.berth.network.cni;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.berth.base.RandomId;
import io.berth.base.RuntimeFault;
import io.berth.network.AttachRequest;
import io.berth.network.Attachment;
import io.berth.network.DetachRequest;
import io.berth.network.PortMapping;
import io.berth.network.PortMapping.Protocol;
import io.berth.network.TestNamespace;
import java.io.IOException;
import java.net.InetAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** CNI with the reference plugins and with scripts that fail. Needs root and the plugins of containernetworking. */
class CniNetworkIT {

    private static final List<Path> INSTALLED = List.of(Path.of("/opt/cni/bin"), Path.of("/usr/lib/cni"));
    private static int used = (int) (ProcessHandle.current().pid() % 60) + 100;

    @TempDir
    Path directory;

    private final List<TestNamespace> namespaces = new ArrayList<>();
    private String bridge;
    private String subnet;
    private Path scripts;
    private CniNetwork network;

    @BeforeEach
    void open() throws IOException {
        assumeTrue("root".equals(System.getProperty("user.name")), "needs root");
        assumeTrue(INSTALLED.stream().anyMatch(one -> Files.exists(one.resolve("bridge"))), "CNI plugins are not installed");
        bridge = "bc" + RandomId.hex(3);
        subnet = "10.199." + used++;
        scripts = Files.createDirectory(directory.resolve("bin"));
        Files.createDirectory(directory.resolve("net.d"));
        network = network(Duration.ofSeconds(20));
    }

    private CniNetwork network(Duration limit) {
        List<Path> binaries = new ArrayList<>(List.of(scripts));
        binaries.addAll(INSTALLED);
        return new CniNetwork(
                new CniSettings(directory.resolve("net.d"), binaries, 1, directory.resolve("state"), limit, true));
    }

    @AfterEach
    void tearDown() {
        namespaces.forEach(TestNamespace::close);
        TestNamespace.host("ip", "link", "delete", bridge);
        assertFalse(TestNamespace.host("ip", "-o", "link").stdoutText().contains(bridge));
    }

    private void configure(String version, String morePlugins) throws IOException {
        Files.writeString(directory.resolve("net.d/10-test.conflist"), """
                {"cniVersion": "%s", "name": "%s", "plugins": [
                  {"type": "bridge", "bridge": "%s", "isGateway": true, "ipMasq": false,
                   "ipam": {"type": "host-local", "dataDir": "%s", "ranges": [[{"subnet": "%s.0/24"}]],
                            "routes": [{"dst": "0.0.0.0/0"}]}}%s]}"""
                .formatted(version, bridge, bridge, directory.resolve("ipam"), subnet, morePlugins));
    }

    private void script(String name, String body) throws IOException {
        Path file = Files.writeString(scripts.resolve(name), "#!/bin/sh\n" + body + "\n");
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwxr-xr-x"));
    }

    private TestNamespace namespace() {
        TestNamespace made = new TestNamespace(directory);
        namespaces.add(made);
        return made;
    }

    private static AttachRequest request(TestNamespace namespace) {
        return AttachRequest.of(RandomId.next(), "web", "default", "uid-1", namespace.file());
    }

    private List<String> reserved() throws IOException {
        Path leases = directory.resolve("ipam").resolve(bridge);
        if (!Files.exists(leases)) {
            return List.of();
        }
        try (var files = Files.list(leases)) {
            return files.map(file -> file.getFileName().toString()).filter(name -> name.startsWith("10.")).toList();
        }
    }

    private List<String> records() throws IOException {
        try (var files = Files.list(directory.resolve("state/cni"))) {
            return files.map(file -> file.getFileName().toString()).toList();
        }
    }

    @Test
    void severalPodsAtOnceGetAddressesOfTheirOwn() throws Exception {
        configure("1.0.0", "");
        List<AttachRequest> requests = new ArrayList<>();
        for (int i = 0; i < 6; i++) {
            requests.add(request(namespace()));
        }
        try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
            var running = requests.stream().map(one -> threads.submit(() -> network.attach(one))).toList();
            Set<InetAddress> addresses = new HashSet<>();
            for (var one : running) {
                addresses.addAll(one.get().addresses());
            }
            assertEquals(6, addresses.size());
        }
        requests.forEach(one -> network.detach(one.toDetach()));
        assertEquals(List.of(), reserved());
    }

    @Test
    void twoPodsReachEachOtherAndDetachLeavesNothing() throws IOException {
        for (String version : List.of("0.3.1", "0.4.0", "1.0.0")) {
            configure(version, ", {\"type\": \"portmap\", \"capabilities\": {\"portMappings\": true}}");
            assertEquals("", network.status().message());
            TestNamespace first = namespace();
            TestNamespace second = namespace();
            AttachRequest one = request(first);
            AttachRequest two = request(second);
            network.attach(one);
            Attachment attached = network.attach(two);
            String address = attached.addresses().getFirst().getHostAddress();
            assertTrue(address.startsWith(subnet), address);
            var ping = first.run("ping", "-c", "1", "-W", "3", address);
            assertEquals(0, ping.exitCode(), ping.stdoutText());
            assertEquals(attached, network.attach(two));
            network.check(two);
            assertEquals(2, records().size());
            network.detach(one.toDetach());
            network.detach(two.toDetach());
            network.detach(two.toDetach());
            assertEquals(List.of(), reserved());
            assertEquals(List.of(), records());
            assertFalse(second.run("ip", "-o", "link").stdoutText().contains("eth0"));
        }
    }

    @Test
    void hostPortIsPublishedAndTakenBack() throws IOException {
        boolean chainsWereThere = TestNamespace.host("iptables-save").stdoutText().contains("CNI-HOSTPORT");
        configure("1.0.0", ", {\"type\": \"portmap\", \"capabilities\": {\"portMappings\": true}}");
        AttachRequest request = request(namespace())
                .withPorts(List.of(new PortMapping(Protocol.TCP, 80, 28180, ""), new PortMapping(Protocol.UDP, 53, 0, "")));
        network.attach(request);
        assertTrue(TestNamespace.host("iptables-save").stdoutText().contains("28180"));
        // The plugin asks for the ports again at DEL: they come from the record, not from the caller.
        network(Duration.ofSeconds(20)).detach(request.toDetach());
        assertFalse(TestNamespace.host("iptables-save").stdoutText().contains("28180"));
        if (!chainsWereThere) {
            removePortmapChains();
        }
    }

    // The plugin leaves its empty chains behind for good.
    private static void removePortmapChains() {
        TestNamespace.host("sh", "-c", """
                for chain in PREROUTING OUTPUT POSTROUTING; do
                  iptables -t nat -S $chain | grep CNI-HOSTPORT | sed 's/^-A/iptables -t nat -D/' | sh
                done
                for chain in DNAT MASQ SETMARK; do
                  iptables -t nat -F CNI-HOSTPORT-$chain && iptables -t nat -X CNI-HOSTPORT-$chain
                done""");
    }

    @Test
    void failureOfALaterPluginRollsTheEarlierBack() throws IOException {
        configure("1.0.0", ", {\"type\": \"failing\"}");
        script("failing", """
                cat > /dev/null
                [ "$CNI_COMMAND" = ADD ] || exit 0
                echo '{"cniVersion": "1.0.0", "code": 103, "msg": "no rule", "details": "table is full"}'
                exit 1""");
        TestNamespace pod = namespace();
        CniFault fault = assertThrows(CniFault.class, () -> network.attach(request(pod)));
        assertEquals(103, fault.code().orElseThrow());
        assertTrue(fault.getMessage().startsWith("run cni plugin failing ADD for sandbox "), fault.getMessage());
        assertTrue(fault.getMessage().endsWith(": no rule: table is full (code 103)"), fault.getMessage());
        assertEquals(List.of(), reserved());
        assertEquals(List.of(), records());
        assertFalse(pod.run("ip", "-o", "link").stdoutText().contains("eth0"));
    }

    @Test
    void rollbackThatFailsStaysOnRecordUntilItSucceeds() throws IOException {
        configure("1.0.0", ", {\"type\": \"failing\"}");
        script("failing", "echo 'panic: broken' >&2; exit 2");
        AttachRequest request = request(namespace());
        RuntimeFault fault = assertThrows(RuntimeFault.class, () -> network.attach(request));
        assertTrue(fault.getMessage().endsWith("exit code 2: panic: broken"), fault.getMessage());
        // The others have given back what they could.
        assertEquals(List.of(), reserved());
        assertEquals(1, records().size());
        assertEquals(Set.of(request.sandboxId()), network.recover(Set.of()));
        script("failing", "cat > /dev/null");
        assertEquals(Set.of(), network.recover(Set.of()));
        assertEquals(List.of(), records());
    }

    @Test
    void hangingPluginIsKilled() throws IOException {
        Files.writeString(directory.resolve("net.d/a.conf"), """
                {"cniVersion": "1.0.0", "name": "n", "type": "hangs"}""");
        script("hangs", "[ \"$CNI_COMMAND\" = DEL ] && exit 0; echo waiting >&2; exec sleep 60");
        CniNetwork impatient = network(Duration.ofMillis(400));
        long from = System.nanoTime();
        RuntimeFault fault = assertThrows(RuntimeFault.class, () -> impatient.attach(request(namespace())));
        assertEquals(RuntimeFault.Kind.DEADLINE_EXCEEDED, fault.kind());
        assertTrue(fault.getMessage().contains("400 ms and was killed; it had printed: waiting"), fault.getMessage());
        assertTrue(System.nanoTime() - from < 5_000_000_000L);
    }

    @Test
    void detachWorksFromTheRecordWhenNamespaceAndConfigurationAreGone() throws IOException {
        configure("1.0.0", "");
        TestNamespace pod = namespace();
        AttachRequest request = request(pod);
        network.attach(request);
        pod.close();
        namespaces.remove(pod);
        Files.delete(directory.resolve("net.d/10-test.conflist"));
        network.detach(new DetachRequest(request.sandboxId(), "web", "default", "uid-1", Optional.empty()));
        assertEquals(List.of(), reserved());
        assertEquals(List.of(), records());
    }

    @Test
    void intentOfAProcessThatDiedIsUndoneAtRecovery() throws IOException {
        configure("1.0.0", ", {\"type\": \"dies\"}");
        // As after a crash between the first plugin and the result: the record says intended, the address is taken.
        script("dies", "cat > /dev/null; exit 1");
        AttachRequest request = request(namespace());
        assertThrows(RuntimeFault.class, () -> network.attach(request));
        script("dies", "cat > /dev/null");
        CniNetwork next = network(Duration.ofSeconds(20));
        assertEquals(Set.of(), next.recover(Set.of(request.sandboxId())));
        assertEquals(List.of(), records());
        assertEquals(List.of(), reserved());
    }

    @Test
    void pluginsGetTheirVariablesCapabilitiesAndTheEarlierResult() throws IOException {
        configure("0.4.0", ", {\"type\": \"spy\", \"capabilities\": {\"bandwidth\": true, \"portMappings\": false}}");
        script("spy", "{ env | grep ^CNI_; cat; echo; } > " + directory + "/seen-$CNI_COMMAND; "
                + "[ $CNI_COMMAND = ADD ] && echo '{\"cniVersion\": \"0.4.0\", \"ips\": []}'; exit 0");
        AttachRequest request = request(namespace()).withAnnotations(Map.of("kubernetes.io/ingress-bandwidth", "1M"));
        network.attach(request);
        network.detach(request.toDetach());
        String add = Files.readString(directory.resolve("seen-ADD"));
        assertTrue(add.contains("CNI_CONTAINERID=" + request.sandboxId()), add);
        assertTrue(add.contains("CNI_ARGS=IgnoreUnknown=1;K8S_POD_NAMESPACE=default;K8S_POD_NAME=web;"
                + "K8S_POD_INFRA_CONTAINER_ID=" + request.sandboxId() + ";K8S_POD_UID=uid-1"), add);
        assertTrue(add.contains("\"ingressRate\":1000000"), add);
        assertTrue(add.contains("\"prevResult\":{\"cniVersion\":\"0.4.0\",\"interfaces\""), add);
        assertTrue(Files.readString(directory.resolve("seen-DEL")).contains("\"prevResult\""));
    }

    @Test
    void statusAndGarbageCollectionAreSpokenWithVersionOnePointOne() throws IOException {
        Files.writeString(directory.resolve("net.d/a.conflist"), """
                {"cniVersion": "1.1.0", "name": "n", "plugins": [{"type": "modern"}]}""");
        script("modern", """
                [ $CNI_COMMAND = STATUS ] && { echo '{"code": 50, "msg": "agent is starting"}'; exit 1; }
                cat > %s/seen-$CNI_COMMAND""".formatted(directory));
        assertFalse(network.status().ready());
        assertTrue(network.status().message().contains("agent is starting (code 50)"), network.status().message());
        script("modern", "cat > %s/seen-$CNI_COMMAND; [ $CNI_COMMAND = ADD ] && echo '{\"cniVersion\": \"1.1.0\"}'; exit 0"
                .formatted(directory));
        network.reload();
        assertTrue(network.status().ready());
        AttachRequest request = request(namespace());
        network.attach(request);
        network.recover(Set.of(request.sandboxId()));
        assertTrue(Files.readString(directory.resolve("seen-GC")).contains(
                "\"cni.dev/valid-attachments\":[{\"containerID\":\"" + request.sandboxId() + "\",\"ifname\":\"eth0\"}]"));
        network.detach(request.toDetach());
    }

    @Test
    void missingConfigurationAndMissingPluginAreSaid() throws IOException {
        assertTrue(network.status().message().startsWith("no CNI configuration in "), network.status().message());
        RuntimeFault fault = assertThrows(RuntimeFault.class, () -> network.attach(request(namespace())));
        assertEquals(RuntimeFault.Kind.UNAVAILABLE, fault.kind());
        configure("1.0.0", ", {\"type\": \"nowhere\"}");
        assertEquals("NetworkPluginNotReady", network.status().reason());
        assertTrue(network.status().message().contains("find cni plugin nowhere: it is not in"), network.status().message());
    }
}
