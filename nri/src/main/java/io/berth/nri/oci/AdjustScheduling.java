package io.berth.nri.oci;

import io.berth.nri.v1.IOPrioClass;
import io.berth.nri.v1.LinuxContainerAdjustment;
import io.berth.nri.v1.LinuxMemoryPolicy;
import io.berth.nri.v1.LinuxScheduler;
import io.berth.nri.v1.LinuxSchedulerPolicy;
import tools.jackson.databind.node.ObjectNode;

/** Scheduler, I/O priority and memory policy of the process: fields that older runtimes do not know. */
record AdjustScheduling(ObjectNode process, ObjectNode linux, SpecAbilities abilities) {

    void apply(LinuxContainerAdjustment wanted) {
        if (wanted.hasIoPriority() && wanted.getIoPriority().getClass_() != IOPrioClass.IOPRIO_CLASS_NONE) {
            require(abilities.knows(1, 1), "the I/O priority");
            process.putObject("ioPriority").put("class", wanted.getIoPriority().getClass_().name())
                    .put("priority", wanted.getIoPriority().getPriority());
        }
        if (wanted.hasScheduler() && wanted.getScheduler().getPolicy() != LinuxSchedulerPolicy.SCHED_NONE) {
            require(abilities.knows(1, 1), "the scheduler");
            scheduler(wanted.getScheduler());
        }
        if (wanted.hasMemoryPolicy()) {
            memory(wanted.getMemoryPolicy());
        }
    }

    private void require(boolean possible, String what) {
        if (!possible) {
            throw AdjustSpec.unsupported(abilities, what);
        }
    }

    private void scheduler(LinuxScheduler wanted) {
        ObjectNode node = process.putObject("scheduler").put("policy", wanted.getPolicy().name()).put("nice", wanted.getNice())
                .put("priority", wanted.getPriority());
        wanted.getFlagsList().forEach(flag -> node.withArray("flags").add(flag.name()));
        if (wanted.getPolicy() == LinuxSchedulerPolicy.SCHED_DEADLINE) {
            node.put("runtime", AdjustSpec.unsigned(wanted.getRuntime())).put("deadline",
                    AdjustSpec.unsigned(wanted.getDeadline())).put("period", AdjustSpec.unsigned(wanted.getPeriod()));
        }
    }

    private void memory(LinuxMemoryPolicy wanted) {
        require(abilities.features().path("linux").path("memoryPolicy").isObject(), "the memory policy");
        ObjectNode node = linux.putObject("memoryPolicy").put("mode", wanted.getMode().name()).put("nodes", wanted.getNodes());
        wanted.getFlagsList().forEach(flag -> node.withArray("flags").add(flag.name()));
    }
}
