package io.berth.nri.oci;

import io.berth.base.RuntimeFault;
import io.berth.nri.v1.LinuxCPU;
import io.berth.nri.v1.LinuxMemory;
import io.berth.nri.v1.LinuxRdt;
import io.berth.nri.v1.LinuxResources;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/** Limits and classes of resources. */
record AdjustResources(ObjectNode linux, SpecAbilities abilities) {

    void apply(LinuxResources wanted) {
        ObjectNode resources = linux.withObject("resources");
        memory(wanted.getMemory(), resources.withObject("memory"));
        cpu(wanted.getCpu(), resources.withObject("cpu"));
        wanted.getHugepageLimitsList().forEach(limit -> {
            ArrayNode all = resources.withArray("hugepageLimits");
            AdjustSpec.removeAll(all, each -> each.path("pageSize").asString("").equals(limit.getPageSize()));
            all.addObject().put("pageSize", limit.getPageSize()).put("limit", AdjustSpec.unsigned(limit.getLimit()));
        });
        if (wanted.getUnifiedCount() > 0) {
            if (!abilities.unified()) {
                throw RuntimeFault.precondition("adjust container: an NRI plugin sets unified cgroup values "
                        + wanted.getUnifiedMap().keySet() + ": this node has cgroup version 1; they need version 2");
            }
            wanted.getUnifiedMap().forEach(resources.withObject("unified")::put);
        }
        if (wanted.hasPids()) {
            resources.withObject("pids").put("limit", wanted.getPids().getLimit());
        }
        wanted.getDevicesList().forEach(rule -> {
            ObjectNode node = resources.withArray("devices").addObject().put("allow", rule.getAllow());
            if (!rule.getType().isEmpty()) {
                node.put("type", rule.getType());
            }
            if (rule.hasMajor()) {
                node.put("major", rule.getMajor().getValue());
            }
            if (rule.hasMinor()) {
                node.put("minor", rule.getMinor().getValue());
            }
            node.put("access", rule.getAccess());
        });
        classes(wanted);
    }

    private void classes(LinuxResources wanted) {
        if (wanted.hasBlockioClass()) {
            String name = wanted.getBlockioClass().getValue();
            linux.withObject("resources").remove("blockIO");
            if (!name.isEmpty()) {
                linux.withObject("resources").set("blockIO", abilities.blockioClass().apply(name));
            }
        }
        if (wanted.hasRdtClass()) {
            String name = wanted.getRdtClass().getValue();
            if (name.isEmpty()) {
                linux.remove("intelRdt");
            } else {
                requireRdt("class " + name);
                linux.putObject("intelRdt").put("closID", name);
            }
        }
    }

    void rdt(LinuxRdt wanted) {
        if (wanted.getRemove()) {
            linux.remove("intelRdt");
        }
        if (!wanted.hasClosId() && !wanted.hasSchemata() && !wanted.hasEnableMonitoring()) {
            return;
        }
        requireRdt(wanted.hasClosId() ? "class " + wanted.getClosId().getValue() : "settings");
        ObjectNode node = linux.withObject("intelRdt");
        if (wanted.hasClosId()) {
            node.put("closID", wanted.getClosId().getValue());
        }
        if (wanted.hasSchemata()) {
            if (!abilities.knows(1, 3)) {
                throw AdjustSpec.unsupported(abilities, "RDT schemata");
            }
            wanted.getSchemata().getValueList().forEach(node.putArray("schemata")::add);
        }
        if (wanted.hasEnableMonitoring()) {
            if (!abilities.knows(1, 3)) {
                throw AdjustSpec.unsupported(abilities, "RDT monitoring");
            }
            node.put("enableMonitoring", wanted.getEnableMonitoring().getValue());
        }
    }

    private void requireRdt(String what) {
        if (!abilities.rdt()) {
            throw RuntimeFault.precondition("adjust container: an NRI plugin sets RDT " + what
                    + ", and /sys/fs/resctrl is not mounted: the processor or the kernel has no resource control");
        }
    }

    private void memory(LinuxMemory wanted, ObjectNode node) {
        if (wanted.hasLimit()) {
            node.put("limit", wanted.getLimit().getValue());
            // A swap limit that is smaller than the new memory limit would be refused.
            if (!wanted.hasSwap() && node.has("swap")) {
                node.put("swap", wanted.getLimit().getValue());
            }
        }
        if (wanted.hasReservation()) {
            node.put("reservation", wanted.getReservation().getValue());
        }
        if (wanted.hasSwap()) {
            node.put("swap", wanted.getSwap().getValue());
        }
        if (wanted.hasKernel()) {
            node.put("kernel", wanted.getKernel().getValue());
        }
        if (wanted.hasKernelTcp()) {
            node.put("kernelTCP", wanted.getKernelTcp().getValue());
        }
        if (wanted.hasSwappiness()) {
            node.put("swappiness", AdjustSpec.unsigned(wanted.getSwappiness().getValue()));
        }
        if (wanted.hasDisableOomKiller()) {
            node.put("disableOOMKiller", wanted.getDisableOomKiller().getValue());
        }
        if (wanted.hasUseHierarchy()) {
            node.put("useHierarchy", wanted.getUseHierarchy().getValue());
        }
    }

    private static void cpu(LinuxCPU wanted, ObjectNode node) {
        if (wanted.hasShares()) {
            node.put("shares", AdjustSpec.unsigned(wanted.getShares().getValue()));
        }
        if (wanted.hasQuota()) {
            node.put("quota", wanted.getQuota().getValue());
        }
        if (wanted.hasPeriod()) {
            node.put("period", AdjustSpec.unsigned(wanted.getPeriod().getValue()));
        }
        if (wanted.hasRealtimeRuntime()) {
            node.put("realtimeRuntime", wanted.getRealtimeRuntime().getValue());
        }
        if (wanted.hasRealtimePeriod()) {
            node.put("realtimePeriod", AdjustSpec.unsigned(wanted.getRealtimePeriod().getValue()));
        }
        if (!wanted.getCpus().isEmpty()) {
            node.put("cpus", wanted.getCpus());
        }
        if (!wanted.getMems().isEmpty()) {
            node.put("mems", wanted.getMems());
        }
    }
}
