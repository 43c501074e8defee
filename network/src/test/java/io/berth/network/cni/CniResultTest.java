package io.berth.network.cni;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.berth.base.RuntimeFault;
import io.berth.network.Attachment;
import java.net.InetAddress;
import java.util.List;
import org.junit.jupiter.api.Test;

class CniResultTest {

    private static Attachment read(String json) {
        return CniResult.attachment(CniConfiguration.JSON.readTree(json));
    }

    private static List<InetAddress> addresses(String... texts) {
        return List.of(texts).stream().map(InetAddress::ofLiteral).toList();
    }

    @Test
    void listsOfVersionOneAreReadInOrder() {
        Attachment found = read("""
                {"cniVersion": "1.0.0",
                 "interfaces": [{"name": "cni0", "mac": "aa:bb:cc:dd:ee:ff"}, {"name": "eth0", "sandbox": "/run/netns/x"}],
                 "ips": [{"address": "fd00::5/64", "interface": 1}, {"address": "10.1.0.5/24", "interface": 1},
                         {"address": "10.1.0.1/24", "interface": 0}]}""");
        assertEquals(addresses("fd00::5", "10.1.0.5"), found.addresses());
        assertEquals(new Attachment.Interface("cni0", "aa:bb:cc:dd:ee:ff", ""), found.interfaces().getFirst());
    }

    @Test
    void addressesWithoutAnInterfaceBelongToThePod() {
        assertEquals(addresses("10.1.0.5"), read("""
                {"cniVersion": "0.3.1", "ips": [{"version": "4", "address": "10.1.0.5/24"}]}""").addresses());
    }

    @Test
    void oldFormIsRead() {
        assertEquals(addresses("10.1.0.5", "fd00::5"), read("""
                {"cniVersion": "0.2.0", "ip4": {"ip": "10.1.0.5/24"}, "ip6": {"ip": "fd00::5/64"}}""").addresses());
    }

    @Test
    void resultWithoutAddressesIsAnAttachmentWithout() {
        assertEquals(List.of(), read("{\"cniVersion\": \"1.1.0\"}").addresses());
    }

    @Test
    void nonsenseIsRefused() {
        assertThrows(RuntimeFault.class, () -> read("{\"ips\": [{\"address\": \"host.example\"}]}"));
    }
}
