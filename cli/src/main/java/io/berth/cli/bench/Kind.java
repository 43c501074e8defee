package io.berth.cli.bench;

import java.util.Locale;

/** What can be measured, each under the name that the command takes. */
enum Kind {
    /** A pod's way from nothing to nothing, call by call. */
    PODS,
    /** {@code ExecSync} of {@code true}. */
    EXEC,
    /** Pods at once. */
    PARALLEL,
    /** Lists with many containers. */
    LIST,
    /** Pull and unpack from a registry on loopback. */
    PULL,
    /** Memory of the daemon and of what it starts for each pod. */
    MEMORY,
    /** Start to the first answer, with nothing and with containers to find again. */
    START;

    String word() {
        return name().toLowerCase(Locale.ROOT);
    }
}
