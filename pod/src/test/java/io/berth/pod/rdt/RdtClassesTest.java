package io.berth.pod.rdt;

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

class RdtClassesTest {

    private static final String POD = "rdt.resources.beta.kubernetes.io/pod";
    private static final String OF_C = "rdt.resources.beta.kubernetes.io/container.c";

    @TempDir
    private Path resctrl;

    private void enable() throws IOException {
        Files.createDirectory(resctrl.resolve("info"));
        Files.writeString(resctrl.resolve("schemata"), "");
        for (String name : new String[] {"gold", "silver"}) {
            Files.writeString(Files.createDirectory(resctrl.resolve(name)).resolve("schemata"), "L3:0=f\n");
        }
        Files.createDirectory(resctrl.resolve("mon_groups"));
    }

    private Optional<String> named(Map<String, String> pod, Map<String, String> own) {
        return new RdtClasses(resctrl, false).classId(pod, own, "c");
    }

    @Test
    void theNearestAnnotationNamesTheClass() throws IOException {
        enable();
        assertEquals(Optional.empty(), named(Map.of(), Map.of()));
        assertEquals(Optional.of("gold"), named(Map.of(POD, "gold"), Map.of()));
        assertEquals(Optional.of("silver"), named(Map.of(POD, "gold", OF_C, "silver"), Map.of()));
        assertEquals(Optional.of("gold"), named(Map.of(OF_C, "silver"),
                Map.of("rdt.resources.beta.kubernetes.io/container", "gold")));
        assertEquals(Optional.of("/"), named(Map.of(POD, "system/default"), Map.of()));
    }

    @Test
    void aClassThatThereIsNotIsRefusedWithThoseThatThereAre() throws IOException {
        enable();
        for (String wrong : new String[] {"bronze", "../gold", "mon_groups", "info"}) {
            RuntimeFault fault = assertThrows(RuntimeFault.class, () -> named(Map.of(POD, wrong), Map.of()));
            assertEquals(RuntimeFault.Kind.INVALID_ARGUMENT, fault.kind());
            assertTrue(fault.getMessage().contains("[gold, silver]"), fault.getMessage());
        }
    }

    @Test
    void withoutResourceControlTheOperatorSaysWhetherThatMatters() {
        RuntimeFault fault = assertThrows(RuntimeFault.class, () -> named(Map.of(POD, "gold"), Map.of()));
        assertEquals(RuntimeFault.Kind.FAILED_PRECONDITION, fault.kind());
        assertEquals(Optional.empty(), new RdtClasses(resctrl, true).classId(Map.of(POD, "gold"), Map.of(), "c"));
    }
}
