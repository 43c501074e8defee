package io.berth.server.console;

import io.berth.image.SharedPulls;
import io.berth.pod.Node;
import io.berth.pod.Reconcile;
import io.berth.server.config.Config;

/**
 * Where the console reads: it changes none of it.
 *
 * @param host what the node calls itself
 * @param startedAtNanos when the daemon started, since the epoch
 */
public record ConsoleSources(Node node, Config config, SharedPulls pulls, Reconcile reconcile, String host,
        String version, long startedAtNanos) {}
