package io.berth.base;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class DigestTest {

    /** The value is that of FIPS 180-2, appendix B.1. */
    private static final String ABC = "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    @Test
    void bytesHaveTheirPublishedDigest() {
        assertEquals(ABC, Digest.ofBytes("abc".getBytes(StandardCharsets.UTF_8)).toString());
        assertEquals(Digest.parse(ABC), Digest.ofBytes("abc".getBytes(StandardCharsets.UTF_8)));
        assertTrue(Digest.isDigest(ABC));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "sha256", "sha256:", "md5:00", "sha256:../../etc/passwd", ":abc",
        "sha256:BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD"})
    void otherTextIsRefusedAsAnInvalidArgument(String text) {
        assertEquals(RuntimeFault.Kind.INVALID_ARGUMENT, assertThrows(RuntimeFault.class, () -> Digest.parse(text)).kind());
        assertFalse(Digest.isDigest(text));
    }
}
