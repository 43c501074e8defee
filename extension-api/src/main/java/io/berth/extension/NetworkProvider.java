package io.berth.extension;

import java.util.List;

/**
 * Joins pods to a network. Thread-safe: calls for different pods come at the same time, calls for one pod do not.
 *
 * <p>Berth notes that a pod is being attached before it calls, and detaches it after a crash. Loopback is up already.
 */
public interface NetworkProvider {

    /**
     * Makes an interface in the pod's network namespace.
     *
     * @return the pod's IP addresses, the primary one first; none is fine
     * @throws Exception the pod is not made; {@link #detach} is called
     */
    List<String> attach(PodInterface pod) throws Exception;

    /**
     * Takes back what {@link #attach} has made, which may be all, a part or nothing. May come again.
     *
     * @throws Exception something is still there; Berth comes back to it
     */
    void detach(PodInterface pod) throws Exception;

    /** Why no pod can be attached now; empty when all is well. Asked now and then. */
    default String problem() throws Exception {
        return "";
    }
}
