package io.berth.pod.stats;

import io.berth.linux.CgroupHugepages;
import io.berth.linux.CgroupIo;
import io.berth.linux.CgroupProcesses;
import io.berth.linux.OpenFiles;
import java.util.List;
import java.util.OptionalLong;

/**
 * What metrics tell of a container beyond its {@link ContainerUsage}.
 *
 * @param openFileLimit how many descriptors its first process may open, empty where there is no limit
 * @param oomKills how many of its processes the kernel has killed for want of memory
 */
public record ContainerDetails(CgroupProcesses processes, OpenFiles files, OptionalLong openFileLimit, List<CgroupIo> io,
        List<CgroupHugepages> hugepages, long oomKills) {}
