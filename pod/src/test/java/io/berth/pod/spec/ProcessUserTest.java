package io.berth.pod.spec;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.berth.cri.v1.LinuxContainerSecurityContext;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ProcessUserTest {

    @TempDir
    private Path rootfs;

    @Test
    void anImageOfOneProgramAloneThatNamesNoUserRunsAsRoot() {
        var user = ProcessUser.resolve(LinuxContainerSecurityContext.getDefaultInstance(), "", rootfs).user();
        assertEquals(0, user.uid());
        assertEquals(0, user.gid());
    }
}
