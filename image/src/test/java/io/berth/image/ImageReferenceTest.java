package io.berth.image;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.berth.base.Digest;
import io.berth.base.RuntimeFault;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ImageReferenceTest {

    private static final String DIGEST = "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    @ParameterizedTest
    @CsvSource({
        "busybox, docker.io/library/busybox:latest",
        "busybox:1.36, docker.io/library/busybox:1.36",
        "user/app, docker.io/user/app:latest",
        "index.docker.io/library/busybox, docker.io/library/busybox:latest",
        "docker.io/busybox, docker.io/library/busybox:latest",
        "localhost/app, localhost/app:latest",
        "localhost:5000/app:v1, localhost:5000/app:v1",
        "127.0.0.1:5000/a/b/c, 127.0.0.1:5000/a/b/c:latest",
        "[::1]:5000/app, [::1]:5000/app:latest",
        "registry.example/a__b/c-d.e_f:T_a.g-1, registry.example/a__b/c-d.e_f:T_a.g-1",
        "Host/app, Host/app:latest",
    })
    void namesAreCompletedAsDockerDoes(String text, String full) {
        ImageReference reference = ImageReference.parse(text);
        assertEquals(full, reference.toString());
        assertEquals(reference, ImageReference.parse(full));
        assertEquals(Optional.of(full), reference.repoTag());
    }

    @Test
    void aDigestDecidesOverATag() {
        ImageReference both = ImageReference.parse("busybox:1.36@" + DIGEST);
        assertEquals("docker.io/library/busybox:1.36@" + DIGEST, both.toString());
        assertEquals(DIGEST, both.wanted());
        assertTrue(both.repoTag().isEmpty());
        assertEquals("docker.io/library/busybox@" + DIGEST, both.repoDigest(Digest.parse(DIGEST)));
        assertTrue(ImageReference.parse("busybox@" + DIGEST).tag().isEmpty());
    }

    @ParameterizedTest
    @ValueSource(strings = {"", " ", "UPPER", "a/UPPER", "a//b", "/a", "a/", "a:", "a:tag:tag", "a@sha256:00", "a@", "a b",
        "../etc", "a/../b", "-a", "a-", "a..b", "a___b", "host:port/a", "http://host/a", "host.example:123456/a", "a\nb", "a%2fb",
        "a?x=y", "a#b", "é", "[::1/a", ".host/a", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"})
    void otherTextIsRefused(String text) {
        RuntimeFault fault = assertThrows(RuntimeFault.class, () -> ImageReference.parse(text));
        assertEquals(RuntimeFault.Kind.INVALID_ARGUMENT, fault.kind());
        assertTrue(fault.getMessage().chars().allMatch(c -> c >= 0x20), "a control character reached the message");
    }

    @Test
    void longTextIsRefusedQuickly() {
        for (String text : new String[] {"a".repeat(100_000), "a-".repeat(250) + "!", "a/".repeat(200) + "!", "a.".repeat(255)}) {
            assertThrows(RuntimeFault.class, () -> ImageReference.parse(text));
        }
    }
}
