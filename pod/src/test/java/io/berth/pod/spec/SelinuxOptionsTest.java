package io.berth.pod.spec;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.berth.base.RuntimeFault;
import io.berth.cri.v1.LinuxContainerSecurityContext;
import io.berth.cri.v1.SELinuxOption;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SelinuxOptionsTest {

    private static final LinuxContainerSecurityContext LABELLED = LinuxContainerSecurityContext.newBuilder()
            .setSelinuxOptions(SELinuxOption.newBuilder().setType("spc_t")).build();

    @TempDir
    private Path directory;

    @Test
    void onANodeWithoutSelinuxALabelMeansNothing() {
        assertDoesNotThrow(() -> new SelinuxOptions(directory).check(LABELLED));
    }

    @Test
    void onANodeWithSelinuxAContainerThatAsksForALabelDoesNotRunWithout() throws IOException {
        Files.writeString(directory.resolve("enforce"), "1");
        RuntimeFault fault = assertThrows(RuntimeFault.class, () -> new SelinuxOptions(directory).check(LABELLED));
        assertEquals(RuntimeFault.Kind.FAILED_PRECONDITION, fault.kind());
        assertTrue(fault.getMessage().contains("spc_t"), fault.getMessage());
        assertDoesNotThrow(() ->
                new SelinuxOptions(directory).check(LinuxContainerSecurityContext.getDefaultInstance()));
    }
}
