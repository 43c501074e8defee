package io.berth.shim;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.berth.base.RuntimeFault;
import io.berth.shim.v2.BootstrapResult;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ShimAddressTest {

    private static final Path SOCKET = Path.of("/run/containerd/s/ab");

    private static ShimAddress parse(String printed) {
        return ShimAddress.parse(printed.getBytes(StandardCharsets.UTF_8));
    }

    @Test
    void theBareAddressIsThatOfTheSecondVersion() {
        assertEquals(new ShimAddress(2, SOCKET), parse("unix:///run/containerd/s/ab"));
        assertEquals(new ShimAddress(2, SOCKET), parse("unix:///run/containerd/s/ab\n"));
        assertEquals("containerd.task.v2.Task", parse("unix:///run/containerd/s/ab").service());
    }

    @Test
    void anObjectTellsTheVersion() {
        assertEquals(new ShimAddress(3, SOCKET),
                parse("{\"version\":3,\"address\":\"unix:///run/containerd/s/ab\",\"protocol\":\"ttrpc\"}\n"));
        assertEquals("containerd.task.v3.Task", new ShimAddress(3, SOCKET).service());
    }

    @Test
    void aMessageTellsItToo() {
        byte[] printed = BootstrapResult.newBuilder().setVersion(3).setAddress("unix:///run/containerd/s/ab")
                .setProtocol("ttrpc").build().toByteArray();
        assertEquals(new ShimAddress(3, SOCKET), ShimAddress.parse(printed));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', value = {
        "{\"version\":4,\"address\":\"unix:///s\",\"protocol\":\"ttrpc\"} | UNSUPPORTED | version 4",
        "{\"version\":3,\"address\":\"unix:///s\",\"protocol\":\"grpc\"} | UNSUPPORTED | only ttrpc",
        "{\"version\":3,\"address\":\"vsock://3:1\",\"protocol\":\"ttrpc\"} | UNSUPPORTED | unix:///PATH",
        "{\"version\":3,\"address\":\"unix:///s\" | INTERNAL | no JSON",
        "{} | UNSUPPORTED | version 0",
        "unix://relative | UNSUPPORTED | unix:///PATH",
        "good morning | INTERNAL | good morning",
        "`` | INTERNAL | printed nothing",
    })
    void whatIsNoAddressOfOursIsRefused(String printed, RuntimeFault.Kind kind, String words) {
        RuntimeFault fault = assertThrows(RuntimeFault.class, () -> parse(printed));
        assertEquals(kind, fault.kind(), fault.getMessage());
        assertTrue(fault.getMessage().contains(words), fault.getMessage());
    }

    @Test
    void garbageIsRefusedWithoutBeingPassedOn() {
        for (byte[] garbage : new byte[][] {{8}, {8, 2, 18, 100, 1}, {(byte) 0xff, (byte) 0xfe}, new byte[5000]}) {
            RuntimeFault fault = assertThrows(RuntimeFault.class, () -> ShimAddress.parse(garbage));
            assertTrue(fault.getMessage().length() < 200 && fault.getMessage().chars().noneMatch(c -> c < ' '), fault.getMessage());
        }
    }
}
