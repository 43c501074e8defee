package io.berth.server.doctor;

import io.berth.server.config.Config;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import tools.jackson.core.JacksonException;
import tools.jackson.dataformat.yaml.YAMLMapper;

/** The cgroup layout, its driver, and whether the kubelet's agrees. */
final class ExamineCgroups implements Examination {

    private static final String AREA = "cgroups";
    private static final String KUBELET = "/var/lib/kubelet/config.yaml";

    @Override
    public List<Finding> look(Host host, Config config) {
        List<Finding> found = new ArrayList<>();
        String mounts = host.read("/proc/self/mountinfo").orElse("");
        boolean unified = mounts.contains(" - cgroup2 ") && !mounts.lines().anyMatch(line -> line.contains(" - cgroup ")
                && line.contains("memory"));
        if (unified) {
            String controllers = host.read("/sys/fs/cgroup/cgroup.controllers").orElse("");
            List<String> missing = List.of("cpu", "memory", "pids").stream()
                    .filter(each -> !List.of(controllers.split("\\s+")).contains(each)).toList();
            found.add(missing.isEmpty() ? Finding.fine(AREA, "version 2 with " + controllers)
                    : Finding.problem(AREA, "version 2 without " + String.join(", ", missing),
                            "enable these controllers: without them there are no limits"));
        } else if (mounts.contains(" - cgroup ")) {
            found.add(Finding.warning(AREA, "version 1, which Kubernetes is leaving and which has no memory QoS",
                    "boot with systemd.unified_cgroup_hierarchy=1"));
            if (mounts.lines().noneMatch(line -> line.contains(" - cgroup ") && line.contains("hugetlb"))
                    && host.find("crun").isPresent()) {
                found.add(Finding.note(AREA, "crun refuses a version 1 without hugetlb, so runc is taken",
                        "mount -t cgroup -o hugetlb hugetlb /sys/fs/cgroup/hugetlb"));
            }
        } else {
            found.add(Finding.problem(AREA, "no cgroup file system is mounted", "mount -t cgroup2 none /sys/fs/cgroup"));
        }
        found.addAll(driver(host, config));
        return found;
    }

    private static List<Finding> driver(Host host, Config config) {
        Map<String, Config.Handler> handlers = config.runtime().runtimes();
        long systemd = handlers.values().stream().filter(Config.Handler::systemdCgroup).count();
        List<Finding> found = new ArrayList<>();
        if (systemd > 0 && systemd < handlers.size()) {
            found.add(Finding.warning(AREA, "some handlers use systemd for cgroups and some do not", "set options.SystemdCgroup"
                    + " alike for all: the kubelet has one driver"));
        }
        String ours = systemd > 0 ? "systemd" : "cgroupfs";
        boolean systemdRuns = Files.isDirectory(host.path("/run/systemd/system"));
        Optional<String> kubelet = host.read(KUBELET).flatMap(ExamineCgroups::kubeletDriver);
        if (kubelet.isPresent() && !kubelet.get().equals(ours)) {
            found.add(Finding.warning(AREA, "Berth's driver is " + ours + ", the kubelet's configuration says " + kubelet.get(),
                    "kubelets from 1.28 on follow Berth; for older ones set runtime.runtimes.NAME.options.SystemdCgroup = "
                    + kubelet.get().equals("systemd")));
        } else if (systemdRuns && systemd == 0) {
            found.add(Finding.warning(AREA, "the driver is cgroupfs, but systemd manages this machine's cgroups",
                    "set runtime.runtimes.NAME.options.SystemdCgroup = true, so that one of the two owns them"));
        } else if (!systemdRuns && systemd > 0) {
            found.add(Finding.problem(AREA, "the driver is systemd, but systemd does not run here",
                    "set runtime.runtimes.NAME.options.SystemdCgroup = false"));
        } else {
            found.add(Finding.fine(AREA, "the driver is " + ours));
        }
        return found;
    }

    private static Optional<String> kubeletDriver(String yaml) {
        try {
            return Optional.of(YAMLMapper.shared().readTree(yaml).path("cgroupDriver").asString(""))
                    .filter(driver -> !driver.isEmpty());
        } catch (JacksonException notYaml) {
            return Optional.empty();
        }
    }
}
