package io.berth.server;

import io.berth.base.RandomId;
import io.berth.base.RuntimeFault;
import io.berth.linux.DirectoryTree;
import io.berth.linux.Links;
import io.berth.linux.Namespace;
import io.berth.linux.Namespaces;
import io.berth.network.AttachRequest;
import io.berth.network.PortMapping;
import io.berth.network.cni.CniNetwork;
import io.berth.network.cni.CniSettings;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.List;
import java.util.Set;

/**
 * Attaches sandboxes of nobody by a CNI plugin that does nothing, so that the ahead-of-time cache knows what nodes with CNI
 * need: the pods of the run that it is made from are on the built-in network. Done only in that run.
 */
final class RehearseCni {

    /** The system property that asks for it. */
    static final String PROPERTY = "berth.rehearsal";
    private static final int ROUNDS = 20;
    private static final Duration LIMIT = Duration.ofSeconds(10);
    private static final String CONFIGURATION = """
            {"cniVersion": "1.0.0", "name": "rehearsal", "plugins": [
              {"type": "nothing", "ipam": {"type": "none"}},
              {"type": "nothing", "capabilities": {"portMappings": true}}]}
            """;
    private static final String PLUGIN = """
            #!/bin/sh
            cat > /dev/null
            [ "$CNI_COMMAND" = ADD ] && echo '{"cniVersion":"1.0.0","interfaces":[{"name":"eth0","sandbox":"'"$CNI_NETNS"'"}],\
            "ips":[{"address":"192.0.2.2/24","gateway":"192.0.2.1","interface":0}],"routes":[{"dst":"0.0.0.0/0"}],"dns":{}}'
            exit 0
            """;

    private RehearseCni() {}

    /** @param directory made for it and removed */
    static void run(Path directory) {
        try {
            Path plugin = Files.createDirectories(directory.resolve("bin")).resolve("nothing");
            Files.writeString(plugin, PLUGIN);
            Files.setPosixFilePermissions(plugin, PosixFilePermissions.fromString("rwx------"));
            Files.writeString(Files.createDirectories(directory.resolve("net.d")).resolve("10.conflist"), CONFIGURATION);
            Path netns = Namespaces.create(Set.of(Namespace.NET), directory.resolve("ns"), Links::loopbackUp).get(Namespace.NET);
            try (CniNetwork network = new CniNetwork(new CniSettings(directory.resolve("net.d"),
                    List.of(plugin.getParent()), 1, directory.resolve("state"), LIMIT, false))) {
                network.recover(Set.of());
                for (int round = 0; round < ROUNDS; round++) {
                    attach(network, netns);
                }
            } finally {
                Namespaces.unpin(netns);
            }
        } catch (IOException e) {
            throw RuntimeFault.internal("rehearse in " + directory + ": " + RuntimeFault.reason(e), e);
        } finally {
            DirectoryTree.remove(directory);
        }
    }

    private static void attach(CniNetwork network, Path netns) {
        if (!network.status().ready()) {
            throw RuntimeFault.precondition("rehearse: " + network.status().message());
        }
        AttachRequest request = AttachRequest.of(RandomId.next(), "pod", "default", "uid", netns)
                .withPorts(List.of(new PortMapping(PortMapping.Protocol.TCP, 80, 8080, "")));
        network.attach(request);
        network.attached();
        network.detach(request.toDetach());
    }
}
