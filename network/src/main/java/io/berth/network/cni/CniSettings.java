package io.berth.network.cni;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

/**
 * Where CNI finds things. Immutable.
 *
 * @param confDir holds the configurations, usually {@code /etc/cni/net.d}
 * @param binDirs hold the plugins, searched in order, usually {@code /opt/cni/bin}
 * @param maxConfFiles how many configurations are attached, in the order of their file names; the first is the pod's
 *     primary network (interface {@code eth0}, then {@code eth1} and so on)
 * @param stateDir a directory that outlives a restart of the machine, as the addresses of plugins do; results are kept in
 *     {@code cni/} below it
 * @param pluginLimit the time that one execution of a plugin may take
 * @param collectGarbage whether recovery has the plugins (of version 1.1) give back all that no sandbox of Berth has; only
 *     for a node whose CNI networks no other runtime and no second instance of Berth uses
 */
public record CniSettings(
        Path confDir, List<Path> binDirs, int maxConfFiles, Path stateDir, Duration pluginLimit, boolean collectGarbage) {

    public CniSettings {
        binDirs = List.copyOf(binDirs);
        if (maxConfFiles < 1) {
            throw new IllegalArgumentException("maxConfFiles is below 1");
        }
    }

    /** One network, two minutes for a plugin, no garbage collection. */
    public static CniSettings of(Path confDir, List<Path> binDirs, Path stateDir) {
        return new CniSettings(confDir, binDirs, 1, stateDir, Duration.ofMinutes(2), false);
    }
}
