package io.berth.cli.bench;

import io.berth.base.RuntimeFault;
import io.berth.cli.scratch.FreeSubnet;
import io.berth.linux.Command;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;

/**
 * A CNI chain for the time of a bench: bridge with host-local addresses, then portmap, as many nodes have it. All
 * contestants use the same files, the same bridge and the same addresses. Closing takes the bridge away.
 */
public final class BenchNetwork implements AutoCloseable {

    private static final List<Path> PLUGINS = List.of(Path.of("/opt/cni/bin"), Path.of("/usr/lib/cni"));

    private final Path directory;
    private final String bridge;

    /** @param name of the bridge, at most 15 characters */
    public BenchNetwork(Path directory, String name, boolean masquerade) {
        this.directory = directory;
        this.bridge = name;
        try {
            Files.createDirectories(configuration());
            Files.writeString(configuration().resolve("10-bench.conflist"), """
                    {"cniVersion": "0.4.0", "name": "%1$s", "plugins": [
                      {"type": "bridge", "bridge": "%1$s", "isGateway": true, "ipMasq": %2$s, "hairpinMode": true,
                       "ipam": {"type": "host-local", "dataDir": "%3$s", "ranges": [[{"subnet": "%4$s"}]],
                                "routes": [{"dst": "0.0.0.0/0"}]}},
                      {"type": "portmap", "capabilities": {"portMappings": true}}]}
                    """.formatted(bridge, masquerade, directory.resolve("addresses"), FreeSubnet.find()));
        } catch (IOException e) {
            throw RuntimeFault.internal("write the bench's network: " + RuntimeFault.reason(e), e);
        }
    }

    /** The directory of the configuration. */
    Path configuration() {
        return directory.resolve("net.d");
    }

    /** The directory of the plugins. @throws RuntimeFault FAILED_PRECONDITION when there is none */
    Path plugins() {
        return PLUGINS.stream().filter(path -> Files.isExecutable(path.resolve("bridge"))).findFirst()
                .orElseThrow(() -> RuntimeFault.precondition("find the CNI plugins: not in " + PLUGINS
                        + ": install the package containernetworking-plugins or take --network builtin"));
    }

    /** Addresses that are still given out. */
    List<String> addresses() {
        Path given = directory.resolve("addresses").resolve(bridge);
        if (!Files.isDirectory(given)) {
            return List.of();
        }
        try (Stream<Path> files = Files.list(given)) {
            return files.map(file -> file.getFileName().toString()).filter(file -> file.matches("[0-9.]+")).toList();
        } catch (IOException e) {
            throw RuntimeFault.internal("read the bench's addresses: " + RuntimeFault.reason(e), e);
        }
    }

    @Override
    public void close() {
        if (Files.exists(Path.of("/sys/class/net", bridge))) {
            Command.of(List.of("ip", "link", "delete", bridge), Duration.ofSeconds(10)).run();
        }
    }
}
