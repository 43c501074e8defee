package io.berth.linux;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import java.util.HexFormat;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Encoding on a little-endian machine, as both supported architectures are. */
class NetlinkMessageTest {

    private static String hex(byte[] bytes) {
        return HexFormat.of().formatHex(bytes);
    }

    @Test
    void headerNamesLengthTypeFlagsAndSequence() {
        byte[] bytes = new NetlinkMessage("test", 16, NetlinkMessage.CREATE).u8(2).u8(0).u16(0).bytes(7, NetlinkMessage.REQUEST);
        assertEquals("14000000" + "1000" + "0104" + "07000000" + "00000000" + "02000000", hex(bytes));
    }

    @Test
    void attributesArePaddedAndNestsKnowTheirLength() {
        byte[] bytes = new NetlinkMessage("test", 0, 0)
                .attribute(3, "lo")
                .nest(18, info -> info.attribute(1, "veth").attribute8(4, 1))
                .big32(5, 1)
                .bytes(0, 0);
        assertEquals("07000300" + "6c6f0000"
                + "18001280" + "09000100" + "76657468" + "00000000" + "05000400" + "01000000"
                + "08000500" + "00000001", hex(bytes).substring(32));
    }

    @Test
    void longMessagesGrow() {
        NetlinkMessage message = new NetlinkMessage("test", 0, 0);
        for (int i = 0; i < 300; i++) {
            message.nest(1, inner -> inner.attribute32(2, 5));
        }
        assertEquals(16 + 300 * 12, message.bytes(0, 0).length);
    }

    @Test
    void attributesAreReadBack() {
        byte[] bytes = new NetlinkMessage("test", 0, 0)
                .attribute(3, "eth0").attribute32(4, 1500).nest(18, info -> info.attribute(1, "bridge")).bytes(0, 0);
        NetlinkAttributes read = NetlinkAttributes.read(bytes, NetlinkMessage.HEADER_BYTES);
        assertEquals("eth0", read.text(3));
        assertEquals(1500, read.number(4));
        assertEquals("bridge", read.nested(18).text(1));
        assertFalse(read.has(9));
        assertEquals(0, read.number(9));
    }

    @Test
    void brokenLengthsEndTheReading() {
        assertEquals(0, NetlinkAttributes.read(HexFormat.of().parseHex("ff00010041"), 0).byType().size());
        assertEquals(0, NetlinkAttributes.read(HexFormat.of().parseHex("02000100"), 0).byType().size());
        assertEquals(List.of(), NetlinkAttributes.list(new byte[3]));
    }

    @Test
    void masksAndBroadcastsFollowThePrefix() {
        assertEquals("fffe0000", hex(NftablesRule.mask(4, 15)));
        assertEquals("0abdffff", hex(Routes.broadcast(HexFormat.of().parseHex("0abd0005"), 16)));
        assertEquals("0abd0005", hex(Routes.broadcast(HexFormat.of().parseHex("0abd0005"), 32)));
    }

    @Test
    void ruleIsWrittenAsTheToolOfTheKernelDoes() {
        NetlinkMessage message = new NetlinkMessage("test", 0, 0);
        new NftablesRule(Nftables.Family.IPV4).destinationIsLocal().write(message);
        // Compared with what nft --debug=mnl shows for "fib daddr type local".
        assertEquals("28000180" + "08000100" + "66696200" + "1c000280" + "08000100" + "00000001" + "08000200" + "00000003"
                + "08000300" + "00000002", hex(message.bytes(0, 0)).substring(32, 32 + 80));
    }
}
