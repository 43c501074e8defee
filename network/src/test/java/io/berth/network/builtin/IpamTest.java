package io.berth.network.builtin;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.berth.base.RuntimeFault;
import io.berth.network.PortMapping;
import io.berth.network.PortMapping.Protocol;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class IpamTest {

    private static final Subnet SMALL = Subnet.parse("10.0.0.0/29");

    @TempDir
    Path directory;

    @Test
    void allAddressesAreHandedOutOnceThenNone() {
        Ipam ipam = new Ipam(directory, SMALL);
        Set<Integer> indexes = new HashSet<>();
        for (int i = 0; i < 5; i++) {
            indexes.add(ipam.take("s" + i, List.of()).index());
        }
        assertEquals(Set.of(2, 3, 4, 5, 6), indexes);
        RuntimeFault fault = assertThrows(RuntimeFault.class, () -> ipam.take("s6", List.of()));
        assertEquals(RuntimeFault.Kind.RESOURCE_EXHAUSTED, fault.kind());
    }

    @Test
    void releasedAddressWaitsUntilItsInterfaceIsGone() {
        Ipam ipam = new Ipam(directory, SMALL);
        Lease first = ipam.take("first", List.of());
        for (int i = 0; i < 4; i++) {
            ipam.take("s" + i, List.of());
        }
        ipam.release(first);
        ipam.release(first);
        assertEquals(1, ipam.sweep(name -> false));
        assertThrows(RuntimeFault.class, () -> ipam.take("next", List.of()));
        assertEquals(0, ipam.sweep(name -> name.equals(first.hostInterface())));
        assertEquals(first.index(), ipam.take("next", List.of()).index());
    }

    @Test
    void addressJustReleasedComesLast() {
        Ipam ipam = new Ipam(directory, SMALL);
        Lease first = ipam.take("first", List.of());
        ipam.release(first);
        ipam.sweep(name -> true);
        assertNotEquals(first.index(), ipam.take("next", List.of()).index());
    }

    @Test
    void leasesAreReadBackWithTheirPorts() throws IOException {
        PortMapping port = new PortMapping(Protocol.SCTP, 80, 8080, "192.0.2.1");
        Lease lease = new Ipam(directory, SMALL).take("first", List.of(port, new PortMapping(Protocol.TCP, 1, 0, "")));
        Path cut = Files.writeString(directory.resolve("10.0.0.6"), "{\"cut");
        Files.setLastModifiedTime(cut, FileTime.from(Instant.now().minusSeconds(60)));
        Path young = Files.writeString(directory.resolve("10.0.0.5"), "");
        Ipam again = new Ipam(directory, SMALL);
        assertEquals(lease, again.of("first").orElseThrow());
        assertEquals(List.of(port), lease.ports());
        assertEquals(1, again.all().size());
        try (var files = Files.list(directory)) {
            assertTrue(Files.exists(young));
            assertEquals(Set.of("10.0.0.2", "10.0.0.5", "released"),
                    Set.copyOf(files.map(file -> file.getFileName().toString()).toList()));
        }
    }

    @Test
    void twoInstancesThatShareADirectoryNeverGiveOutTheSame() throws Exception {
        Subnet subnet = Subnet.parse("10.0.0.0/24");
        List<Ipam> two = List.of(new Ipam(directory, subnet), new Ipam(directory, subnet));
        try (var threads = Executors.newFixedThreadPool(8)) {
            List<Future<Lease>> running = new ArrayList<>();
            for (int i = 0; i < 200; i++) {
                int number = i;
                running.add(threads.submit(() -> two.get(number % 2).take("s" + number, List.of())));
            }
            Set<Integer> indexes = new HashSet<>();
            for (var one : running) {
                assertTrue(indexes.add(one.get().index()));
            }
        }
    }

    @Test
    void interfaceNamesFitAndDiffer() {
        assertEquals(14, Lease.interfaceName("some sandbox").length());
        assertNotEquals(Lease.interfaceName("a"), Lease.interfaceName("b"));
    }
}
