package io.berth.network;

import java.util.Set;

/**
 * Joins the network namespaces of sandboxes to a pod network and takes them off it again. Thread-safe: different sandboxes
 * at the same time; calls for one sandbox are put in order. Calls block and may come from virtual threads.
 *
 * <p>Contract of every implementation:
 * <ul>
 *   <li>what is about to be attached is on disk before the first change, so {@link #recover} finds it after a crash;
 *   <li>{@link #attach} that fails has undone what it did, or left it on record for {@link #detach};
 *   <li>{@link #attach} for a sandbox that is attached answers the same attachment;
 *   <li>{@link #detach} succeeds for a sandbox that is not attached and for one whose namespace is gone.
 * </ul>
 *
 * <p>Loopback is not its task: whoever makes the namespace brings {@code lo} up ({@code Links.loopbackUp}).
 */
public interface PodNetwork extends AutoCloseable {

    /**
     * Attaches the sandbox.
     *
     * @throws io.berth.base.RuntimeFault UNAVAILABLE when the network is not ready (the words of {@link #status()}),
     *     RESOURCE_EXHAUSTED when no address is left, INVALID_ARGUMENT for ports that cannot be, else what the plugin said
     */
    Attachment attach(AttachRequest request);

    /**
     * Whether a sandbox may be attached before it is known whose it will be. A later {@link #attach} with the pod's own
     * words then adds what they ask for: host ports, limits.
     */
    default boolean attachesAhead() {
        return false;
    }

    /**
     * Takes the sandbox off the network and gives its addresses and host ports back. The namespace should be ended right
     * after: an implementation may leave it to the kernel to remove the interface with it.
     *
     * @throws io.berth.base.RuntimeFault when something is still there; the sandbox stays on record for another try
     */
    void detach(DetachRequest request);

    /**
     * Verifies that the attachment is as it was made (the CHECK verb). Nothing happens where this cannot be told.
     *
     * @throws io.berth.base.RuntimeFault what is not as it should be
     */
    default void check(AttachRequest request) {}

    /** Whether pods can be attached now. Answers from memory but for a look at modification times. */
    NetworkStatus status();

    /** Reads the configuration again, also when no modification time says so. */
    void reload();

    /**
     * Detaches every sandbox on record that is not among {@code liveSandboxIds}, and those whose attach never ended where that
     * is on record: their creation failed. To be called once at start, before the first attach.
     *
     * @return the sandboxes that could not be detached; they stay on record
     */
    Set<String> recover(Set<String> liveSandboxIds);

    /** The sandboxes on record, those that are being attached included. */
    Set<String> attached();

    /** Ends watching and closes descriptors; attached sandboxes stay attached. */
    @Override
    void close();
}
