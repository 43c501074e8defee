package io.berth.image;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.berth.base.Digest;
import io.berth.base.RuntimeFault;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Which entry of an index is taken. */
class PlatformTest {

    private static Digest digest(String platform) {
        return Digest.ofBytes(TestImage.bytes(platform));
    }

    private static Manifest.Choice index(String... platforms) {
        List<String> entries = new ArrayList<>();
        for (String platform : platforms) {
            Platform parsed = Platform.parse(platform).orElseThrow();
            entries.add(TestImage.descriptor(MediaTypes.OCI_MANIFEST, TestImage.bytes(platform)).replaceFirst("}$",
                    ",\"platform\":{\"os\":\"" + parsed.os() + "\",\"architecture\":\"" + parsed.architecture() + "\",\"variant\":\""
                            + parsed.variant() + "\"}}"));
        }
        return (Manifest.Choice) Manifest.parse("index", TestImage.bytes("{\"schemaVersion\":2,\"mediaType\":\""
                + MediaTypes.OCI_INDEX + "\",\"manifests\":[" + String.join(",", entries) + "]}"), "");
    }

    @ParameterizedTest
    @CsvSource({
        // what we are, what there is, what is taken
        "linux/amd64, linux/arm64 linux/amd64 windows/amd64, linux/amd64",
        "linux/amd64, linux/amd64/v3 linux/amd64, linux/amd64",
        "linux/arm/v7, linux/arm/v6 linux/arm/v7 linux/arm/v5, linux/arm/v7",
        "linux/arm/v7, linux/arm/v5 linux/arm/v6 linux/arm/v8, linux/arm/v6",
        "linux/arm64, linux/arm/v7 linux/arm64/v8, linux/arm64/v8",
    })
    void theBestVariantIsTaken(String own, String offered, String taken) {
        assertEquals(digest(taken), index(offered.split(" ")).select(Platform.parse(own).orElseThrow(), "x").digest());
    }

    @Test
    void whatDoesNotRunHereIsNotTakenAndAllIsNamed() {
        RuntimeFault fault = assertThrows(RuntimeFault.class, () -> index("linux/arm/v7", "linux/arm/v8", "windows/arm")
                .select(Platform.parse("linux/arm/v6").orElseThrow(), "x"));
        assertEquals(RuntimeFault.Kind.NOT_FOUND, fault.kind());
        assertTrue(fault.getMessage().contains("no variant for linux/arm/v6; it has: linux/arm/v7, linux/arm/v8, windows/arm"),
                fault.getMessage());
    }
}
