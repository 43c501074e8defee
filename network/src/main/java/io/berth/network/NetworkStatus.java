package io.berth.network;

/**
 * Whether a network can take pods: the CRI condition {@code NetworkReady}. Immutable.
 *
 * @param reason one CamelCase word, empty when ready
 * @param message what is wrong and the cure, empty when ready
 */
public record NetworkStatus(boolean ready, String reason, String message) {

    private static final NetworkStatus READY = new NetworkStatus(true, "", "");

    /** The reason that the kubelet shows for a node without a network. */
    public static final String NOT_READY = "NetworkPluginNotReady";

    public static NetworkStatus isReady() {
        return READY;
    }

    public static NetworkStatus notReady(String message) {
        return new NetworkStatus(false, NOT_READY, message);
    }
}
