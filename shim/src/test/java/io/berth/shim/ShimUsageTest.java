package io.berth.shim;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.Any;
import com.google.protobuf.ByteString;
import io.berth.base.RuntimeFault;
import java.util.HexFormat;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;

class ShimUsageTest {

    private static Any stats(String type, String hex) {
        return Any.newBuilder().setTypeUrl(type).setValue(ByteString.copyFrom(HexFormat.of().parseHex(hex))).build();
    }

    /** cpu(3).usage(1): total 300, kernel 100, user 200; memory(4): total_inactive_file(30) 10, usage(33): limit 500, usage 60. */
    @Test
    void theFirstVersionsFiguresAreRead() {
        var usage = ShimUsage.read(stats("io.containerd.cgroups.v1.Metrics",
                "1a0a" + "0a08" + "08ac02" + "1064" + "18c801" + "220b" + "f0010a" + "8a0205" + "08f403" + "103c")).orElseThrow();
        assertEquals(300, usage.cpu().nanos());
        assertEquals(200, usage.cpu().userNanos());
        assertEquals(100, usage.cpu().systemNanos());
        assertEquals(60, usage.memory().usage());
        assertEquals(50, usage.memory().workingSet());
        assertEquals(OptionalLong.of(500), usage.memory().limit());
    }

    /** cpu(2): usage_usec(1) 7; memory(4): usage(32) 60, inactive_file(13) 10, usage_limit(33) the largest number. */
    @Test
    void theSecondVersionsFiguresAreRead() {
        var usage = ShimUsage.read(stats("io.containerd.cgroups.v2.Metrics",
                "1202" + "0807" + "2211" + "680a" + "80023c" + "8802ffffffffffffffffff01")).orElseThrow();
        assertEquals(7000, usage.cpu().nanos());
        assertEquals(60, usage.memory().usage());
        assertEquals(50, usage.memory().workingSet());
        assertEquals(OptionalLong.empty(), usage.memory().limit());
    }

    @Test
    void figuresOfAnotherKindAreNoneAndGarbageIsRefused() {
        assertTrue(ShimUsage.read(stats("example.Metrics", "0801")).isEmpty());
        assertThrows(RuntimeFault.class, () -> ShimUsage.read(stats("io.containerd.cgroups.v2.Metrics", "12ff")));
    }
}
