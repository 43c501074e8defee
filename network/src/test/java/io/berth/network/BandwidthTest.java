package io.berth.network;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.berth.base.RuntimeFault;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class BandwidthTest {

    @ParameterizedTest
    @CsvSource({"1k,1000", "10M,10000000", "1.5G,1500000000", "1Mi,1048576", "2Ki,2048", "5000,5000", "1P,1000000000000000"})
    void quantitiesAreBitsPerSecond(String text, long bits) {
        var found = Bandwidth.of(Map.of("kubernetes.io/ingress-bandwidth", text)).orElseThrow();
        assertEquals(bits, found.ingress().orElseThrow());
        assertTrue(found.egress().isEmpty());
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "fast", "999", "2P", "-1M", "1m", "10MB"})
    void otherValuesAreRefused(String text) {
        RuntimeFault fault = assertThrows(RuntimeFault.class,
                () -> Bandwidth.of(Map.of("kubernetes.io/egress-bandwidth", text)));
        assertEquals(RuntimeFault.Kind.INVALID_ARGUMENT, fault.kind());
    }

    @Test
    void noAnnotationIsNoLimit() {
        assertTrue(Bandwidth.of(Map.of("other", "1M")).isEmpty());
    }
}
