package io.berth.pod.spec;

import io.berth.base.RuntimeFault;
import io.berth.cri.v1.HugepageLimit;
import io.berth.cri.v1.LinuxContainerResources;
import io.berth.linux.Cgroups;
import java.util.Optional;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/** The {@code linux.resources} object, for creation and for updates. */
public final class ResourcesSpec {

    private final Cgroups cgroups;

    public ResourcesSpec(Cgroups cgroups) {
        this.cgroups = cgroups;
    }

    /** The limits without device rules. A field of 0 means "no limit asked for", as in the CRI. */
    public ObjectNode write(LinuxContainerResources wanted) {
        ObjectNode resources = JsonNodeFactory.instance.objectNode();
        ObjectNode cpu = resources.putObject("cpu");
        positive(cpu, "shares", wanted.getCpuShares());
        if (wanted.getCpuQuota() != 0) {
            cpu.put("quota", wanted.getCpuQuota());
        }
        positive(cpu, "period", wanted.getCpuPeriod());
        text(cpu, "cpus", wanted.getCpusetCpus());
        text(cpu, "mems", wanted.getCpusetMems());
        ObjectNode memory = resources.putObject("memory");
        if (wanted.getMemoryLimitInBytes() != 0) {
            memory.put("limit", wanted.getMemoryLimitInBytes());
        }
        swap(wanted).ifPresent(swap -> memory.put("swap", swap));
        hugepages(wanted, resources);
        if (wanted.getUnifiedCount() > 0) {
            if (!cgroups.isUnified()) {
                throw RuntimeFault.precondition("set unified cgroup values " + wanted.getUnifiedMap().keySet()
                        + ": this node has cgroup version 1; they need version 2");
            }
            ObjectNode unified = resources.putObject("unified");
            wanted.getUnifiedMap().forEach(unified::put);
        }
        return resources;
    }

    // Swap beyond the memory limit has to be asked for; without swap accounting the value is refused by the kernel.
    private Optional<Long> swap(LinuxContainerResources wanted) {
        long swap = wanted.getMemorySwapLimitInBytes();
        if (swap == 0) {
            swap = wanted.getMemoryLimitInBytes();
        }
        boolean accounted = cgroups.isUnified() || cgroups.read("memory", "/", "memory.memsw.limit_in_bytes").isPresent();
        return swap == 0 || !accounted ? Optional.empty() : Optional.of(swap);
    }

    private void hugepages(LinuxContainerResources wanted, ObjectNode resources) {
        if (wanted.getHugepageLimitsCount() == 0 || !cgroups.has("hugetlb")) {
            return;
        }
        ArrayNode limits = resources.putArray("hugepageLimits");
        for (HugepageLimit limit : wanted.getHugepageLimitsList()) {
            limits.addObject().put("pageSize", limit.getPageSize()).put("limit", limit.getLimit());
        }
    }

    private static void positive(ObjectNode node, String name, long value) {
        if (value > 0) {
            node.put(name, value);
        }
    }

    private static void text(ObjectNode node, String name, String value) {
        if (!value.isEmpty()) {
            node.put(name, value);
        }
    }
}
