package io.berth.pod.record;

import io.berth.linux.Processes;
import io.berth.runtime.ContainerRuntime;

/**
 * A process that cannot be mistaken for a later one with the same number.
 *
 * @param startTicks its start in clock ticks since boot
 */
public record ProcessIdentity(int pid, long startTicks) {

    public static ProcessIdentity of(ContainerRuntime.FirstProcess process) {
        return new ProcessIdentity(process.pid(), process.startTicks());
    }

    /** As runtimes know it. */
    public ContainerRuntime.FirstProcess process() {
        return new ContainerRuntime.FirstProcess(pid, startTicks);
    }

    public boolean isAlive() {
        return Processes.isAlive(pid, startTicks);
    }

    /** Sends {@code signal}; false when it has ended. */
    public boolean signal(int signal) {
        return Processes.signal(pid, startTicks, signal);
    }
}
