package io.berth.extension;

import java.util.Map;
import java.util.Optional;

/**
 * What takes part in Berth, in its process. A jar in the directory of extensions names its implementation in
 * {@code META-INF/services/io.berth.extension.Extension}; it has a public constructor without parameters.
 *
 * <p>Every call of an extension comes on a thread of its own, which is interrupted and left alone when it takes longer than
 * the configured limit. Whatever it throws, errors included, ends that call only. Calls may come at the same time, so
 * implementations are thread-safe. An extension must not end the Java machine; a jar that calls {@code System.exit} is not
 * loaded.
 */
public interface Extension {

    /**
     * Called once, before any other call.
     *
     * @param settings what stands in NAME.properties beside NAME.jar; empty without such a file
     * @throws Exception when it cannot take part; no other method is called then
     */
    default void start(Map<String, String> settings) throws Exception {}

    /** Who judges images before they come into the store; asked for once, after {@link #start}. */
    default Optional<ImagePolicy> imagePolicy() {
        return Optional.empty();
    }

    /** Who is told of pods and containers; asked for once. */
    default Optional<LifecycleListener> lifecycleListener() {
        return Optional.empty();
    }

    /** Who gives pods their network, where {@code runtime.network} is {@code "extension"}; asked for once. */
    default Optional<NetworkProvider> networkProvider() {
        return Optional.empty();
    }

    /** Called once when Berth ends in order; pods run on. */
    default void stop() throws Exception {}
}
