package io.berth.server.nri;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.berth.base.RuntimeFault;
import io.berth.cri.v1.HugepageLimit;
import io.berth.cri.v1.LinuxContainerResources;
import io.berth.nri.v1.LinuxResources;
import org.junit.jupiter.api.Test;

class NriResourcesTest {

    private static final LinuxContainerResources LIMITS = LinuxContainerResources.newBuilder().setCpuShares(512)
            .setCpuQuota(-1).setMemoryLimitInBytes(1000).setCpusetCpus("0-1").putUnified("memory.high", "900")
            .addHugepageLimits(HugepageLimit.newBuilder().setPageSize("2MB").setLimit(4))
            .addHugepageLimits(HugepageLimit.newBuilder().setPageSize("1GB").setLimit(1)).build();

    @Test
    void limitsComeBackAsTheyWere() {
        assertEquals(LIMITS, NriResources.over(LinuxContainerResources.getDefaultInstance(), NriResources.of(LIMITS)));
        assertEquals(LIMITS, NriResources.update(LIMITS, NriResources.of(LIMITS)));
    }

    @Test
    void whatTheClientDidNotSetIsAbsent() {
        LinuxResources none = NriResources.of(LinuxContainerResources.getDefaultInstance());
        assertFalse(none.getCpu().hasShares() || none.getMemory().hasLimit());
        assertTrue(none.hasCpu() && none.hasMemory(), "plugins in Go look into these without asking");
        assertEquals(LIMITS, NriResources.over(LIMITS, none));
    }

    @Test
    void onlyWhatAPluginSetIsChanged() {
        LinuxResources.Builder wanted = LinuxResources.newBuilder();
        wanted.getCpuBuilder().setCpus("1");
        wanted.addHugepageLimitsBuilder().setPageSize("2MB").setLimit(9);
        LinuxContainerResources changed = NriResources.over(LIMITS, wanted.build());
        assertEquals("1", changed.getCpusetCpus());
        assertEquals(512, changed.getCpuShares());
        assertEquals(2, changed.getHugepageLimitsCount());
        assertEquals(9, changed.getHugepageLimits(1).getLimit());
    }

    @Test
    void whatARunningContainerCannotGetIsNamed() {
        LinuxResources.Builder wanted = LinuxResources.newBuilder();
        wanted.getPidsBuilder().setLimit(5);
        wanted.getMemoryBuilder().getReservationBuilder().setValue(1);
        RuntimeFault fault = assertThrows(RuntimeFault.class, () -> NriResources.update(LIMITS, wanted.build()));
        assertEquals(RuntimeFault.Kind.UNSUPPORTED, fault.kind());
        assertTrue(fault.getMessage().contains("memory reservation, number of processes"), fault.getMessage());
    }
}
