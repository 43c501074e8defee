package io.berth.it.conformance;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.berth.cri.v1.ContainerStatus;
import io.berth.cri.v1.HugepageLimit;
import io.berth.cri.v1.LinuxContainerResources;
import io.berth.cri.v1.UpdateContainerResourcesRequest;
import io.berth.linux.Cgroups;
import io.grpc.Status;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Limits of a container, read back from the kernel's cgroups, and changed while it runs. */
@Timeout(120)
class ResourcesConformanceIT {

    private static final boolean UNIFIED = Cgroups.detect().isUnified();

    private static final boolean CRUN = "crun".equals(System.getenv(RuntimeUnderTest.HANDLER));

    @RegisterExtension
    static final Cri CRI = new Cri();

    private static String limited(Consumer<LinuxContainerResources.Builder> change) {
        return CRI.sleeper(CRI.pod(), config -> change.accept(config.getLinuxBuilder().getResourcesBuilder()));
    }

    /** A container sees its own cgroup as the root of each hierarchy. */
    private static String cgroup(String container, String versionOne, String versionTwo) {
        return CRI.out(container, "cat", "/sys/fs/cgroup/" + (UNIFIED ? versionTwo : versionOne)).strip();
    }

    private static void update(String container, Consumer<LinuxContainerResources.Builder> change) {
        var request = UpdateContainerResourcesRequest.newBuilder().setContainerId(container);
        change.accept(request.getLinuxBuilder());
        CRI.runtime().updateContainerResources(request.build());
    }

    private static String quota(String container) {
        return UNIFIED ? cgroup(container, "", "cpu.max") : cgroup(container, "cpu/cpu.cfs_quota_us", "") + " "
                + cgroup(container, "cpu/cpu.cfs_period_us", "");
    }

    private static String memory(String container) {
        return cgroup(container, "memory/memory.limit_in_bytes", "memory.max");
    }

    private static String shares(String container) {
        return cgroup(container, "cpu/cpu.shares", "cpu.weight");
    }

    @Test
    void processorTimeIsLimited() {
        String container = limited(resources -> resources.setCpuPeriod(50_000).setCpuQuota(20_000).setCpuShares(512));
        assertEquals("20000 50000", quota(container));
        // 2 to 262144 become 1 to 10000.
        assertEquals(UNIFIED ? Integer.toString(1 + 510 * 9999 / 262142) : "512", shares(container));
    }

    @Test
    void memoryIsLimited() {
        assertEquals("67108864", memory(limited(resources -> resources.setMemoryLimitInBytes(64 << 20))));
    }

    @Test
    void whoTakesMoreIsEndedAndTheReasonIsTold() {
        var pod = CRI.pod();
        String container = CRI.run(pod, config -> config.getLinuxBuilder().getResourcesBuilder().setMemoryLimitInBytes(32 << 20),
                "sh", "-c", "dd if=/dev/zero of=/dev/null bs=200M count=1");
        ContainerStatus status = CRI.ended(container);
        assertEquals(137, status.getExitCode());
        assertEquals("OOMKilled", status.getReason());
    }

    @Test
    void processorsAreChosen() {
        String container = limited(resources -> resources.setCpusetCpus("0").setCpusetMems("0"));
        assertEquals("0", cgroup(container, "cpuset/cpuset.cpus", "cpuset.cpus"));
        assertTrue(CRI.out(container, "grep", "Cpus_allowed_list", "/proc/self/status").endsWith("\t0\n"));
    }

    @Test
    void theOutOfMemoryScoreIsSet() {
        String container = limited(resources -> resources.setOomScoreAdj(500));
        assertEquals("500\n", CRI.out(container, "cat", "/proc/1/oom_score_adj"));
    }

    @Test
    void hugePagesAreLimited() throws IOException {
        assumeTrue(Cgroups.detect().has("hugetlb"), "this node's cgroups have no hugetlb");
        String container = limited(resources -> resources.addHugepageLimits(
                HugepageLimit.newBuilder().setPageSize("2MB").setLimit(4 << 20)));
        assertEquals("4194304", cgroup(container, "hugetlb/hugetlb.2MB.limit_in_bytes", "hugetlb.2MB.max"));
    }

    @Test
    void hugePageLimitsOfANodeWithoutThemDoNoHarm() {
        assumeTrue(!Cgroups.detect().has("hugetlb"), "this node's cgroups have hugetlb");
        String container = limited(resources -> resources.addHugepageLimits(
                HugepageLimit.newBuilder().setPageSize("2MB").setLimit(0)));
        assertEquals("up\n", CRI.out(container, "echo", "up"));
    }

    @Test
    void swapIsLimitedWithTheMemory() {
        assumeTrue(UNIFIED || Files.exists(Path.of("/sys/fs/cgroup/memory/memory.memsw.limit_in_bytes")),
                "this kernel does not account for swap");
        String container = limited(resources -> resources.setMemoryLimitInBytes(64 << 20).setMemorySwapLimitInBytes(80 << 20));
        assertEquals(UNIFIED ? Integer.toString(16 << 20) : Integer.toString(80 << 20),
                cgroup(container, "memory/memory.memsw.limit_in_bytes", "memory.swap.max"));
    }

    @Test
    void limitsAreChangedWhileTheContainerRuns() {
        String container = limited(resources -> resources.setCpuPeriod(100_000).setCpuQuota(20_000).setMemoryLimitInBytes(64 << 20));
        update(container, resources -> resources.setCpuQuota(30_000));
        assertEquals("30000 100000", quota(container));
        assertEquals("67108864", memory(container), "what is not named stays");
        update(container, resources -> resources.setMemoryLimitInBytes(96 << 20));
        assertEquals("100663296", memory(container));
        assertEquals("30000 100000", quota(container));
        update(container, resources -> resources.setCpuShares(256).setCpusetCpus("0"));
        assertEquals(UNIFIED ? Integer.toString(1 + 254 * 9999 / 262142) : "256", shares(container));
        assertEquals("0", cgroup(container, "cpuset/cpuset.cpus", "cpuset.cpus"));
    }

    @Test
    void aLimitIsTakenAway() {
        String none = memory(limited(resources -> { }));
        String container = limited(resources -> resources.setCpuPeriod(100_000).setCpuQuota(20_000).setMemoryLimitInBytes(64 << 20));
        update(container, resources -> resources.setMemoryLimitInBytes(-1));
        assertEquals(none, memory(container));
        if (!UNIFIED && CRUN) {
            // crun 1.8 writes -1 as a number without a sign there, which the kernel refuses: the client is told so.
            Cri.refused(Status.Code.FAILED_PRECONDITION, () -> update(container, resources -> resources.setCpuQuota(-1)));
            return;
        }
        update(container, resources -> resources.setCpuQuota(-1));
        assertEquals(UNIFIED ? "max 100000" : "-1 100000", quota(container));
    }

    @Test
    void aCreatedContainersLimitsAreChangedToo() {
        var pod = CRI.pod();
        String container = CRI.create(pod, config -> config.getLinuxBuilder().getResourcesBuilder().setMemoryLimitInBytes(64 << 20),
                "sleep", "1000");
        update(container, resources -> resources.setMemoryLimitInBytes(96 << 20));
        CRI.start(container);
        assertEquals("100663296", memory(container));
    }

    @Test
    void theStatusTellsTheLimits() {
        String container = limited(resources -> resources.setCpuPeriod(100_000).setCpuQuota(20_000).setMemoryLimitInBytes(64 << 20));
        var told = CRI.status(container).getResources().getLinux();
        assertEquals(20_000, told.getCpuQuota());
        assertEquals(64 << 20, told.getMemoryLimitInBytes());
        update(container, resources -> resources.setCpuQuota(30_000));
        assertEquals(30_000, CRI.status(container).getResources().getLinux().getCpuQuota());
    }

    @Test
    void onlyAContainerThatIsThereAndLivesIsChanged() {
        Cri.refused(Status.Code.NOT_FOUND, () -> update("no-such-container", resources -> resources.setCpuQuota(30_000)));
    }

    @Test
    void containersAreBelowThePodsCgroup() throws IOException {
        CRI.onlyOnBerth("what the cgroup of a pod that names none is called is the runtime's affair");
        String parent = CRI.underTest().node().orElseThrow().cgroup() + "/of-the-kubelet";
        var pod = CRI.pod(config -> config.getLinuxBuilder().setCgroupParent(parent));
        String container = CRI.sleeper(pod);
        assertTrue(Files.exists(Path.of("/sys/fs/cgroup/" + (UNIFIED ? "" : "memory") + parent + "/" + container)));
        CRI.remove(pod);
        Cgroups.detect().remove(parent);
    }

    @Test
    void manyFilesMayBeOpen() {
        assertTrue(Integer.parseInt(CRI.out(CRI.sleeper(CRI.pod()), "sh", "-c", "ulimit -n").strip()) >= 1024);
    }
}
