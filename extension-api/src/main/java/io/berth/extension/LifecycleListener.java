package io.berth.extension;

/** Hears of pods and containers. Events of one extension come one after the other, in the order in which they happened. */
@FunctionalInterface
public interface LifecycleListener {

    /**
     * Something has happened. What is thrown is counted and logged, and changes nothing.
     *
     * <p>A listener that does not keep up loses events, and its extension's status says so.
     */
    void happened(LifecycleEvent event) throws Exception;
}
