package io.berth.cli.bench;

import io.berth.base.RuntimeFault;
import io.berth.linux.Cgroups;
import io.berth.linux.Mounts;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * The hugetlb hierarchy, mounted for the time of a bench where crun needs it: with cgroups of version 1, older crun takes
 * the node for one of version 2 while that controller is not mounted.
 */
final class HugepageHierarchy implements AutoCloseable {

    private static final Path PLACE = Path.of("/sys/fs/cgroup/hugetlb");

    private final boolean mounted;

    HugepageHierarchy(String runtime) {
        Cgroups cgroups = Cgroups.detect();
        mounted = runtime.endsWith("crun") && !cgroups.isUnified() && !cgroups.has("hugetlb");
        if (mounted) {
            try {
                Files.createDirectories(PLACE);
            } catch (IOException e) {
                throw RuntimeFault.internal("mount the hugetlb hierarchy for crun: " + RuntimeFault.reason(e), e);
            }
            Mounts.mount("cgroup", PLACE, "cgroup", 0, "hugetlb");
        }
    }

    @Override
    public void close() {
        if (mounted) {
            Mounts.unmount(PLACE);
            try {
                Files.deleteIfExists(PLACE);
            } catch (IOException stillUsed) {
                // Only an empty directory stays.
            }
        }
    }
}
