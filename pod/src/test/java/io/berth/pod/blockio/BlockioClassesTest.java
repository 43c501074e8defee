package io.berth.pod.blockio;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.berth.base.RuntimeFault;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class BlockioClassesTest {

    private static final String PREFIX = "blockio.resources.beta.kubernetes.io/";

    @TempDir
    private Path directory;

    private BlockioClasses classes(String yaml) throws IOException {
        return new BlockioClasses(Optional.of(Files.writeString(directory.resolve("blockio.yaml"), yaml)), true);
    }

    @Test
    void theNearestAnnotationNamesTheClass() {
        var pod = Map.of(PREFIX + "pod", "all", PREFIX + "container.c", "c");
        assertEquals(Optional.of("own"), BlockioClasses.named(pod, Map.of(PREFIX + "container", "own"), "c"));
        assertEquals(Optional.of("c"), BlockioClasses.named(pod, Map.of(), "c"));
        assertEquals(Optional.of("all"), BlockioClasses.named(pod, Map.of(), "d"));
        assertEquals(Optional.empty(), BlockioClasses.named(Map.of(), Map.of(), "c"));
    }

    @Test
    void weightsAndQuantitiesAreRead() throws IOException {
        // A pattern without a device on this machine is passed over.
        var found = classes("""
                Classes:
                  slow:
                  - Weight: 80
                  - Devices: [/dev/there-is-no-such-disk*]
                    ThrottleReadBps: 1Mi
                """).all();
        assertEquals("{\"weight\":80}", found.get("slow").toString());
    }

    @Test
    void aClassThatIsNotDefinedIsRefusedWithThoseThatAre() throws IOException {
        RuntimeFault fault = assertThrows(RuntimeFault.class, () -> classes("Classes: {fast: [], slow: []}")
                .limits(Map.of(PREFIX + "pod", "none"), Map.of(), "c"));
        assertEquals(RuntimeFault.Kind.INVALID_ARGUMENT, fault.kind());
        assertTrue(fault.getMessage().contains("[fast, slow]"), fault.getMessage());
    }

    @Test
    void withoutAFileAClassIsIgnoredOrRefusedAsConfigured() {
        var pod = Map.of(PREFIX + "pod", "slow");
        assertEquals(Optional.empty(), new BlockioClasses(Optional.empty(), true).limits(pod, Map.of(), "c"));
        RuntimeFault fault = assertThrows(RuntimeFault.class,
                () -> new BlockioClasses(Optional.empty(), false).limits(pod, Map.of(), "c"));
        assertTrue(fault.getMessage().contains("runtime.blockio_config_file"), fault.getMessage());
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "{Classes: {a: [{Speed: 1}]}} | Speed",
        "{Classes: {a: [{Weight: fast}]}} | Weight",
        "{Classes: {a: [{Devices: [vda]}]}} | absolute",
        "{Classes | blockio.yaml",
    })
    void aWrongFileIsNamedWithTheMistake(String yaml, String word) throws IOException {
        BlockioClasses classes = classes(yaml);
        RuntimeFault fault = assertThrows(RuntimeFault.class, classes::all);
        assertEquals(RuntimeFault.Kind.FAILED_PRECONDITION, fault.kind());
        assertTrue(fault.getMessage().contains(word), fault.getMessage());
    }
}
