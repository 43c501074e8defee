package io.berth.pod.stats;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.berth.cri.v1.PodSandboxConfig;
import io.berth.cri.v1.PodSandboxMetadata;
import io.berth.pod.record.Sandbox;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;

class MeasurePodTest {

    private static boolean own(String uid, String cgroup) {
        return MeasurePod.hasOwnGroup(new Sandbox("abc", PodSandboxConfig.newBuilder()
                .setMetadata(PodSandboxMetadata.newBuilder().setUid(uid)).build(), "runc", 1, Sandbox.Phase.READY, Set.of(),
                List.of(), false, cgroup, Optional.empty()));
    }

    @Test
    void groupsThatTheKubeletMakesForOnePodAreThePodsOwn() {
        assertTrue(own("12-34", "/kubepods/burstable/pod12-34"));
        assertTrue(own("12-34", "kubepods-burstable-pod12_34.slice"));
    }

    @Test
    void aGroupNamedAfterTheSandboxIsItsOwn() {
        assertTrue(own("12-34", "/berth/abc"));
    }

    @Test
    void aGroupThatOthersMayShareIsNot() {
        assertFalse(own("12-34", "/kubepods"));
        assertFalse(own("12-34", "system.slice"));
        assertFalse(own("12-34", "/"));
        assertFalse(own("", "/kubepods/pod"));
    }
}
