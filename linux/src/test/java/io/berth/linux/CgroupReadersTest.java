package io.berth.linux;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The readers of cgroup files, on files of both versions as kernels write them. */
class CgroupReadersTest {

    private static final String GROUP = "/pods/c1";
    private static final String SOME_PRESSURE = """
            some avg10=12.50 avg60=3.00 avg300=0.25 total=4100
            full avg10=1.00 avg60=0.50 avg300=0.00 total=900
            """;

    @TempDir
    Path root;

    private Cgroups unified() {
        return Cgroups.at(Map.of(), Optional.of(root));
    }

    private Cgroups byController() {
        return Cgroups.at(Map.of("memory", root.resolve("memory"), "cpuacct", root.resolve("cpu"), "cpu",
                root.resolve("cpu"), "blkio", root.resolve("blkio"), "pids", root.resolve("pids"), "hugetlb",
                root.resolve("hugetlb")), Optional.empty());
    }

    private void file(String path, String text) throws IOException {
        Path file = root.resolve(path);
        Files.createDirectories(file.getParent());
        Files.writeString(file, text.endsWith("\n") ? text : text + "\n");
    }

    private void unifiedFile(String name, String text) throws IOException {
        file("pods/c1/" + name, text);
    }

    private void writeUnifiedGroup() throws IOException {
        unifiedFile("cpu.stat", """
                usage_usec 5000000
                user_usec 3000000
                system_usec 2000000
                nr_periods 40
                nr_throttled 4
                throttled_usec 70000
                """);
        unifiedFile("memory.current", "10000");
        unifiedFile("memory.stat", """
                anon 4000
                file 5000
                kernel 800
                file_mapped 700
                inactive_file 3000
                active_file 2000
                pgfault 55
                pgmajfault 5
                """);
        unifiedFile("memory.max", "max");
        unifiedFile("memory.peak", "12000");
        unifiedFile("memory.events", "low 0\nhigh 0\nmax 7\noom 2\noom_kill 1");
        unifiedFile("memory.swap.current", "64");
        unifiedFile("memory.swap.max", "4096");
    }

    @Test
    void versionTwoTellsProcessorTimeInMicroseconds() throws IOException {
        writeUnifiedGroup();
        CgroupCpu cpu = CgroupUsage.read(unified(), GROUP).orElseThrow().cpu();
        assertEquals(new CgroupCpu(5_000_000_000L, 3_000_000_000L, 2_000_000_000L, 40, 4, 70_000_000), cpu);
    }

    @Test
    void versionTwoTellsMemoryAndItsPeakAndSwap() throws IOException {
        writeUnifiedGroup();
        CgroupMemory memory = CgroupUsage.read(unified(), GROUP).orElseThrow().memory();
        assertEquals(new CgroupMemory(10000, 7000, 4000, 5000, 700, 2000, 3000, 55, 5, OptionalLong.empty(),
                OptionalLong.of(12000), OptionalLong.of(800), OptionalLong.of(7), OptionalLong.of(64),
                OptionalLong.of(4096)), memory);
        assertEquals(1, CgroupUsage.oomKills(unified(), GROUP));
    }

    @Test
    void pressureIsReadWhereThereIsAnyAndAbsentWhereNot() throws IOException {
        writeUnifiedGroup();
        assertTrue(CgroupUsage.read(unified(), GROUP).orElseThrow().ioPressure().isEmpty());
        unifiedFile("io.pressure", SOME_PRESSURE);
        Pressure io = CgroupUsage.read(unified(), GROUP).orElseThrow().ioPressure().orElseThrow();
        assertEquals(new Pressure.Stall(4_100_000, 12.5, 3, 0.25), io.some());
        assertEquals(new Pressure.Stall(900_000, 1, 0.5, 0), io.full());
    }

    @Test
    void versionOneTellsTheSameFromItsControllers() throws IOException {
        file("cpu/pods/c1/cpuacct.usage", "5000");
        file("cpu/pods/c1/cpuacct.usage_user", "3000");
        file("cpu/pods/c1/cpuacct.usage_sys", "2000");
        file("cpu/pods/c1/cpu.stat", "nr_periods 40\nnr_throttled 4\nthrottled_time 70");
        file("memory/pods/c1/memory.usage_in_bytes", "10000");
        file("memory/pods/c1/memory.stat", "rss 1\ntotal_rss 4000\ntotal_cache 5000\ntotal_mapped_file 700\n"
                + "total_inactive_file 3000\ntotal_active_file 2000\ntotal_pgfault 55\ntotal_pgmajfault 5");
        file("memory/pods/c1/memory.limit_in_bytes", "9223372036854771712");
        file("memory/pods/c1/memory.max_usage_in_bytes", "12000");
        file("memory/pods/c1/memory.kmem.usage_in_bytes", "800");
        file("memory/pods/c1/memory.failcnt", "7");
        file("memory/pods/c1/memory.memsw.usage_in_bytes", "10064");
        file("memory/pods/c1/memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 3");
        CgroupUsage usage = CgroupUsage.read(byController(), GROUP).orElseThrow();
        assertEquals(new CgroupCpu(5000, 3000, 2000, 40, 4, 70), usage.cpu());
        assertEquals(new CgroupMemory(10000, 7000, 4000, 5000, 700, 2000, 3000, 55, 5, OptionalLong.empty(),
                OptionalLong.of(12000), OptionalLong.of(800), OptionalLong.of(7), OptionalLong.of(64),
                OptionalLong.empty()), usage.memory());
        assertEquals(3, CgroupUsage.oomKills(byController(), GROUP));
    }

    @Test
    void ticksServeWhereVersionOneHasNoNanosecondsByMode() throws IOException {
        file("cpu/pods/c1/cpuacct.usage", "50000000");
        file("cpu/pods/c1/cpuacct.stat", "user 3\nsystem 2");
        CgroupCpu cpu = CgroupCpu.read(byController(), GROUP).orElseThrow();
        assertEquals(30_000_000, cpu.userNanos());
        assertEquals(20_000_000, cpu.systemNanos());
    }

    @Test
    void aGroupThatIsGoneIsAbsentAndNoFault() {
        for (Cgroups cgroups : List.of(unified(), byController())) {
            assertTrue(CgroupUsage.read(cgroups, GROUP).isEmpty());
            assertEquals(List.of(), CgroupIo.read(cgroups, GROUP));
            assertEquals(List.of(), CgroupHugepages.read(cgroups, GROUP));
            assertEquals(List.of(), CgroupProcesses.read(cgroups, GROUP).ids());
            assertEquals(0, CgroupUsage.oomKills(cgroups, GROUP));
        }
    }

    @Test
    void devicesAreReadFromIoStat() throws IOException {
        unifiedFile("io.stat", "999:1 rbytes=4096 wbytes=8192 rios=1 wios=2 dbytes=0 dios=0\n998:0 \n");
        assertEquals(List.of(new CgroupIo("999:1", 999, 1, 4096, 8192, 1, 2)),
                CgroupIo.read(unified(), GROUP).stream().filter(io -> io.major() == 999).toList());
    }

    @Test
    void devicesAreReadFromBlkioOfTheSchedulerThatCounts() throws IOException {
        file("blkio/pods/c1/blkio.throttle.io_service_bytes_recursive", "Total 0");
        file("blkio/pods/c1/blkio.bfq.io_service_bytes_recursive",
                "999:1 Read 4096\n999:1 Write 8192\n999:1 Sync 12288\nTotal 12288");
        file("blkio/pods/c1/blkio.bfq.io_serviced_recursive", "999:1 Read 1\n999:1 Write 2\nTotal 3");
        assertEquals(List.of(new CgroupIo("999:1", 999, 1, 4096, 8192, 1, 2)), CgroupIo.read(byController(), GROUP));
    }

    @Test
    void hugePagesAreReadBySizeWithoutReservations() throws IOException {
        unifiedFile("hugetlb.2MB.current", "2097152");
        unifiedFile("hugetlb.2MB.rsvd.current", "0");
        assertEquals(List.of(new CgroupHugepages("2MB", 2097152, OptionalLong.empty())),
                CgroupHugepages.read(unified(), GROUP));
        file("hugetlb/pods/c1/hugetlb.1GB.usage_in_bytes", "0");
        file("hugetlb/pods/c1/hugetlb.1GB.max_usage_in_bytes", "1073741824");
        assertEquals(List.of(new CgroupHugepages("1GB", 0, OptionalLong.of(1073741824))),
                CgroupHugepages.read(byController(), GROUP));
    }

    @Test
    void processesOfGroupsBelowCountToo() throws IOException {
        unifiedFile("cgroup.procs", "10\n11");
        unifiedFile("pids.current", "9");
        unifiedFile("pids.max", "max");
        file("pods/c1/inner/cgroup.procs", "12");
        assertEquals(new CgroupProcesses(List.of(10, 11, 12), OptionalLong.of(9), OptionalLong.empty()),
                CgroupProcesses.read(unified(), GROUP));
    }

    @Test
    void sumsLeaveOutLimitsAndPressure() throws IOException {
        writeUnifiedGroup();
        unifiedFile("cpu.pressure", SOME_PRESSURE);
        CgroupUsage one = CgroupUsage.read(unified(), GROUP).orElseThrow();
        CgroupUsage two = one.plus(one);
        assertEquals(10_000_000_000L, two.cpu().nanos());
        assertEquals(14000, two.memory().workingSet());
        assertEquals(OptionalLong.empty(), two.memory().peak());
        assertTrue(two.cpuPressure().isEmpty());
    }

    @Test
    void namesOfSystemdBecomePaths() {
        assertEquals("/kubepods.slice/kubepods-pod1.slice/berth-c1.scope",
                SystemdGroup.path("kubepods-pod1.slice:berth:c1"));
        assertEquals("/system.slice", SystemdGroup.path("system.slice"));
        assertEquals("/kubepods/pod1/c1", SystemdGroup.path("/kubepods/pod1/c1"));
        assertEquals("/berth-c1.scope", SystemdGroup.path("-.slice:berth:c1"));
    }
}
