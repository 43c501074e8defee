package io.berth.server.doctor;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.berth.server.doctor.Finding.Grade;
import io.berth.server.config.Config;
import io.berth.server.config.ConfigFile;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Machines made of a few files, each with one thing wrong. */
class DoctorTest {

    @TempDir
    private Path root;

    private final Map<String, String> printed = new HashMap<>();

    private Host host() {
        return new Host(root, program -> Optional.ofNullable(printed.get(String.join(" ", program))), List.of("/usr/bin"));
    }

    private Path write(String path, String text) throws IOException {
        Path file = root.resolve(path);
        Files.createDirectories(file.getParent());
        return Files.writeString(file, text);
    }

    private void program(String path, String version) throws IOException {
        Files.setPosixFilePermissions(write(path, ""), PosixFilePermissions.fromString("rwxr-xr-x"));
        printed.put("/" + path + " --version", version);
    }

    private static Config config(String toml) throws IOException {
        Path file = Files.createTempFile("berth-doctor", ".toml");
        try {
            Files.writeString(file, toml);
            return ConfigFile.load(Optional.of(file), Map.of()).config();
        } finally {
            Files.delete(file);
        }
    }

    /** A machine on which nothing is wrong. */
    @BeforeEach
    void goodMachine() throws IOException {
        write("proc/sys/kernel/osrelease", "6.18.0-test\n");
        write("proc/filesystems", "nodev\toverlay\n");
        write("proc/sys/user/max_user_namespaces", "1000\n");
        write("proc/self/status", "Seccomp:\t0\n");
        write("proc/sys/net/ipv4/ip_forward", "1\n");
        write("proc/self/mountinfo", "1 2 0:1 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n");
        write("sys/fs/cgroup/cgroup.controllers", "cpuset cpu io memory pids\n");
        program("usr/bin/crun", "crun version 1.30.1");
        program("usr/bin/conmon", "conmon version 2.1.12");
        program("opt/cni/bin/bridge", "");
        write("etc/cni/net.d/10-a.conflist", "{\"name\":\"a\",\"plugins\":[{\"type\":\"bridge\"}]}");
        write("run/systemd/timesync/synchronized", "");
    }

    private List<Finding> findings(String toml) throws IOException {
        return Doctor.examine(host(), config(toml)).stream().filter(each -> each.grade() != Grade.FINE
                && !each.area().equals("disk")).toList();
    }

    @Test
    void checkpointsNeedACriuThatWorks() throws IOException {
        String toml = "[runtime]\nenable_criu_support = true\n";
        assertFound(toml, Grade.PROBLEM, "there is no criu in PATH");
        program("usr/bin/criu", "Version: 4.2");
        printed.put("criu --version", "Version: 4.2");
        assertFound(toml, Grade.PROBLEM, "criu 4.2 does not work on this kernel");
        printed.put("criu check", "Looks good.");
        assertFound(toml, Grade.PROBLEM, "criu 4.2 finds no iptables-restore");
        program("usr/bin/iptables-restore", "");
        assertEquals(List.of(), findings(toml));
    }

    @Test
    void aSnapshotterHasToListen() throws IOException {
        String toml = "[proxy_plugins.lazy]\naddress = \"/run/lazy.sock\"\n";
        assertFound(toml, Grade.PROBLEM, "nobody listens on /run/lazy.sock, the socket of snapshotter lazy");
        try (ServerSocketChannel listening = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
            listening.bind(UnixDomainSocketAddress.of(root.resolve("run/lazy.sock")));
            assertEquals(List.of(), findings(toml));
        }
        assertFound(toml, Grade.PROBLEM, "nobody listens on /run/lazy.sock");
    }

    private void assertFound(Grade grade, String words) throws IOException {
        assertFound("", grade, words);
    }

    private void assertFound(String toml, Grade grade, String words) throws IOException {
        List<Finding> found = findings(toml);
        assertTrue(found.stream().anyMatch(each -> each.grade() == grade && each.what().contains(words) && !each.cure().isEmpty()),
                () -> grade + " " + words + " is not in " + found);
    }

    @Test
    void aGoodMachineIsFine() throws IOException {
        assertEquals(List.of(), findings(""));
    }

    @Test
    void whatTheKernelLacksIsAProblem() throws IOException {
        write("proc/sys/kernel/osrelease", "5.4.0-1\n");
        write("proc/filesystems", "\text4\n");
        write("proc/sys/net/ipv4/ip_forward", "0\n");
        write("proc/sys/user/max_user_namespaces", "0\n");
        assertFound(Grade.PROBLEM, "it is 5.4.0-1");
        assertFound(Grade.PROBLEM, "overlayfs is not there");
        assertFound(Grade.PROBLEM, "forwarding is off");
        assertFound(Grade.NOTE, "user namespaces are switched off");
    }

    @Test
    void appArmorWithoutItsParserIsTold() throws IOException {
        write("sys/module/apparmor/parameters/enabled", "Y\n");
        assertFound(Grade.WARNING, "AppArmor is on, and nothing is there to load profiles");
        program("usr/bin/apparmor_parser", "");
        assertEquals(List.of(), findings(""));
    }

    @Test
    void cgroupsWithoutLimitsOrOfVersionOneAreTold() throws IOException {
        write("sys/fs/cgroup/cgroup.controllers", "cpu pids\n");
        assertFound(Grade.PROBLEM, "version 2 without memory");
        write("proc/self/mountinfo", "1 2 0:1 / /c rw - cgroup cgroup rw,memory\n");
        assertFound(Grade.WARNING, "version 1");
        assertFound(Grade.NOTE, "crun refuses a version 1 without hugetlb");
        write("proc/self/mountinfo", "1 2 0:1 / / rw - ext4 /dev/a rw\n");
        assertFound(Grade.PROBLEM, "no cgroup file system");
    }

    @Test
    void aDriverThatDisagreesWithTheKubeletIsTold() throws IOException {
        write("var/lib/kubelet/config.yaml", "kind: KubeletConfiguration\ncgroupDriver: systemd\n");
        assertFound(Grade.WARNING, "Berth's driver is cgroupfs, the kubelet's configuration says systemd");
        Files.createDirectories(root.resolve("run/systemd/system"));
        assertEquals(List.of(), findings("runtime.runtimes.crun.options.SystemdCgroup = true\n"));
        Files.delete(root.resolve("var/lib/kubelet/config.yaml"));
        assertFound(Grade.WARNING, "systemd manages this machine's cgroups");
        assertFound("runtime.runtimes.a.options.SystemdCgroup = true\nruntime.runtimes.crun.options.SystemdCgroup = false\n",
                Grade.WARNING, "some handlers use systemd");
    }

    @ParameterizedTest
    @CsvSource({"runc version 1.0.3, true, CVE-2024-21626", "runc version 1.1.12, false, CVE-2024-21626",
        "runc version 1.1.12, true, CVE-2025-31133", "runc version 1.2.7, true, CVE-2025-31133",
        "runc version 1.2.8, false, CVE-2025-31133", "runc version 1.3.2, true, CVE-2025-31133",
        "runc version 1.3.3, false, CVE-2025-31133", "runc version 1.5.1, false, CVE-2025-31133",
        "crun version 1.8.1, true, CVE-2025-24965", "crun version 1.20, false, CVE-2025-24965",
        "runc version 1.3.5, true, CVE-2026-41579", "runc version 1.3.6, false, CVE-2026-41579",
        "runc version 1.4.2, true, CVE-2026-41579", "runc version 1.5.1, false, CVE-2026-41579",
        "crun version 1.27.1, true, CVE-2026-47766", "crun version 1.28, false, CVE-2026-47766"})
    void aRuntimeThatIsOlderThanAFixIsTold(String version, boolean open, String attack) throws IOException {
        Files.delete(root.resolve("usr/bin/crun"));
        program("usr/bin/" + version.substring(0, 4), version);
        assertEquals(open, findings("").stream().anyMatch(each -> each.what().contains(attack)), () -> attack);
    }

    @ParameterizedTest
    @CsvSource({"youki version 0.5.4, true, CVE-2025-54867", "youki version 0.5.5, false, CVE-2025-54867",
        "youki version 0.5.6, true, CVE-2025-62161", "youki version 0.5.7, false, CVE-2025-62161",
        "runsc version release-20241217.0, true, CVE-2025-2713", "runsc version release-20250414.0, false, CVE-2025-2713"})
    void aRuntimeOfAHandlerThatIsOlderThanAFixIsTold(String version, boolean open, String attack) throws IOException {
        program("opt/runtime", version);
        String handler = "runtime.runtimes.own.runtime_path = \"/opt/runtime\"\n";
        assertEquals(open, findings(handler).stream().anyMatch(each -> each.what().contains(attack)), () -> attack);
        assertEquals(List.of(), findings(handler).stream().filter(each -> each.what().contains("does not tell")).toList());
    }

    @Test
    void aNetworkStackOfGvisorsOwnIsTold() throws IOException {
        program("opt/runsc", "runsc version release-20260401.0\nspec: 1.2.0");
        String handler = "runtime.runtimes.gvisor.runtime_path = \"/opt/runsc\"\nruntime.runtimes.gvisor.options.arguments = ";
        assertEquals(List.of(), findings(handler + "[\"--platform=systrap\", \"--network=host\"]\n"));
        assertFound(handler + "[\"--network=sandbox\"]\n", Grade.WARNING, "a network stack of its own");
    }

    @Test
    void gvisorsShimNeedsRunscAndThatIsLookedAtToo() throws IOException {
        program("opt/containerd-shim-runsc-v1", "");
        String handler = "runtime.runtimes.gvisor.runtime_type = \"io.containerd.runsc.v1\"\n"
                + "runtime.runtimes.gvisor.runtime_path = \"/opt/containerd-shim-runsc-v1\"\n";
        assertFound(handler, Grade.WARNING, "there is no runsc in PATH");
        program("usr/bin/runsc", "runsc version release-20241217.0");
        assertFound(handler, Grade.WARNING, "CVE-2025-2713");
        program("usr/bin/runsc", "runsc version release-20260817.0");
        assertEquals(List.of(), findings(handler));
    }

    @Test
    void programsThatAreNotThereAreProblems() throws IOException {
        Files.delete(root.resolve("usr/bin/crun"));
        assertFound(Grade.PROBLEM, "neither crun nor runc");
        assertFound("runtime.runtimes.kata.runtime_path = \"/opt/kata\"\n", Grade.PROBLEM, "there is no program /opt/kata");
        Files.delete(root.resolve("usr/bin/conmon"));
        assertFound(Grade.PROBLEM, "monitor: there is no program conmon");
    }

    @Test
    void aNetworkWithoutPluginOrFileIsAProblem() throws IOException {
        Files.delete(root.resolve("opt/cni/bin/bridge"));
        assertFound(Grade.PROBLEM, "names the plugin \"bridge\"");
        write("etc/cni/net.d/10-a.conflist", "{");
        assertFound(Grade.PROBLEM, "is not JSON");
        Files.delete(root.resolve("etc/cni/net.d/10-a.conflist"));
        assertFound(Grade.PROBLEM, "no CNI configuration");
        assertEquals(List.of(), findings("runtime.network = \"builtin\"\n"));
    }

    @Test
    void unsafeAndFaultyRegistriesAreTold() throws IOException {
        write("etc/berth/certs.d/r.example.com/hosts.toml", "[host.\"http://mirror.example.com\"]\n");
        assertFound(Grade.WARNING, "http://mirror.example.com is plain HTTP");
        write("etc/berth/certs.d/r.example.com/hosts.toml", "[host.\"https://mirror.example.com\"]\nskip_verify = true\n");
        assertFound(Grade.WARNING, "is not verified");
        write("etc/berth/certs.d/r.example.com/hosts.toml", "[host\n");
        assertFound(Grade.PROBLEM, "hosts.toml");
    }

    @Test
    void aClockThatNobodyKeepsIsNoted() throws IOException {
        Files.delete(root.resolve("run/systemd/timesync/synchronized"));
        assertFound(Grade.NOTE, "time server");
        printed.put("timedatectl show -p NTPSynchronized --value", "yes");
        assertEquals(List.of(), findings(""));
    }
}
