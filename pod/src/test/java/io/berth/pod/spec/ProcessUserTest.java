package io.berth.pod.spec;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.berth.base.RuntimeFault;
import io.berth.cri.v1.LinuxContainerSecurityContext;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ProcessUserTest {

    @TempDir
    private Path rootfs;

    private ProcessUser of(String imageUser) {
        return ProcessUser.resolve(LinuxContainerSecurityContext.getDefaultInstance(), imageUser, rootfs);
    }

    /** As images of a single program are: FROM scratch, without a USER. */
    @Test
    void anImageThatNamesNoUserAndHasNoAccountsRunsAsRoot() {
        assertEquals(0, of("").user().uid());
        assertEquals(0, of("").user().gid());
        assertEquals(5, of(":5").user().gid());
        assertEquals(Optional.empty(), of("").home());
    }

    @Test
    void aNumberNeedsNoAccountAndANameDoes() {
        assertEquals(65532, of("65532").user().uid());
        assertThrows(RuntimeFault.class, () -> of("nobody"));
    }
}
