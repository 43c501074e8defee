package io.berth.network.builtin;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.berth.base.RuntimeFault;
import java.net.InetAddress;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SubnetTest {

    @Test
    void addressesCountFromTheStart() {
        Subnet subnet = Subnet.parse("10.189.0.0/16");
        assertEquals("10.189.0.1", subnet.gateway().getHostAddress());
        assertEquals("10.189.1.0", subnet.address(256).getHostAddress());
        assertEquals(65534, subnet.lastIndex());
        assertTrue(subnet.contains(InetAddress.ofLiteral("10.189.255.255")));
        assertFalse(subnet.contains(InetAddress.ofLiteral("10.190.0.0")));
        assertEquals("10.189.0.0/16", subnet.toString());
    }

    @Test
    void highBitsAndIpv6Work() {
        assertEquals("203.0.113.9", Subnet.parse("203.0.113.0/24").address(9).getHostAddress());
        Subnet subnet = Subnet.parse("fd00:be::/64");
        assertTrue(subnet.isIpv6());
        assertEquals(InetAddress.ofLiteral("fd00:be::1:0"), subnet.address(65536));
    }

    @ParameterizedTest
    @ValueSource(strings = {
        "", "10.0.0.0", "10.0.0.1/24", "10.0.0.0/31", "10.0.0.0/0", "host/24", "10.0.0.0/x", "fd00::1/64"})
    void whatIsNoSubnetIsRefused(String text) {
        assertEquals(RuntimeFault.Kind.INVALID_ARGUMENT,
                assertThrows(RuntimeFault.class, () -> Subnet.parse(text)).kind());
    }
}
