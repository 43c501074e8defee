package io.berth.pod.record;

import io.berth.linux.Processes;

/**
 * A process that cannot be mistaken for a later one with the same number.
 *
 * @param startTicks its start in clock ticks since boot
 */
public record ProcessIdentity(int pid, long startTicks) {

    public boolean isAlive() {
        return Processes.isAlive(pid, startTicks);
    }

    /** Sends {@code signal}; false when it has ended. */
    public boolean signal(int signal) {
        return Processes.signal(pid, startTicks, signal);
    }
}
