package io.berth.server.config;

import io.berth.snapshot.Snapshotters;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/** The keys below {@code [proxy_plugins.NAME]}, named as in containerd's configuration: programs that serve as snapshotters. */
final class ProxyKeys {

    private static final String PREFIX = "proxy_plugins";

    private ProxyKeys() {}

    static Map<String, Path> read(ConfigTable table) {
        Map<String, Path> sockets = new TreeMap<>();
        for (String name : table.names(PREFIX)) {
            String prefix = PREFIX + "." + name + ".";
            String type = table.text(prefix + "type", "snapshot");
            String address = table.text(prefix + "address", "");
            if (!type.equals("snapshot")) {
                table.problem(prefix + "type = \"" + type + "\": snapshot is needed, there are no others");
            }
            if (!name.matches("[A-Za-z0-9][A-Za-z0-9_-]{0,63}") || name.equals(Snapshotters.BUILT_IN)) {
                table.problem("[" + PREFIX + "." + name + "]: a name of letters, digits, - and _ is needed, other than "
                        + Snapshotters.BUILT_IN);
            }
            sockets.put(name, Path.of(address.replaceFirst("^unix://", "")));
        }
        return sockets;
    }

    /** Whether each snapshotter that is used is there. */
    static void check(Config config, ConfigTable table) {
        config.proxySnapshotters().forEach((name, socket) -> {
            if (!socket.isAbsolute()) {
                table.problem(PREFIX + "." + name + ".address = \"" + socket + "\": the absolute path of its socket is needed");
            }
        });
        check("images.snapshotter", config.images().snapshotter(), config, table);
        config.runtime().runtimes().forEach((name, handler) -> {
            if (!handler.snapshotter().isEmpty()) {
                check("runtime.runtimes." + name + ".snapshotter", handler.snapshotter(), config, table);
            }
        });
    }

    private static void check(String key, String name, Config config, ConfigTable table) {
        Set<String> known = new TreeSet<>(config.proxySnapshotters().keySet());
        known.add(Snapshotters.BUILT_IN);
        if (!known.contains(name)) {
            table.problem(key + " = \"" + name + "\": there is no such snapshotter, only " + known + ": add [" + PREFIX + "."
                    + name + "] with the address of its socket");
        }
    }
}
