package io.berth.base;

/** Waits for the end of a thread in any case: what it works on cannot be taken away under it. Stateless. */
public final class ThreadEnd {

    private ThreadEnd() {}

    /**
     * Returns when {@code thread} has ended. An interruption of the caller is passed on to it, and the caller stays
     * interrupted.
     *
     * @return whether the caller was interrupted meanwhile
     */
    public static boolean await(Thread thread) {
        boolean interrupted = false;
        while (thread.isAlive()) {
            try {
                thread.join();
            } catch (InterruptedException e) {
                interrupted = true;
                thread.interrupt();
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
        return interrupted;
    }
}
