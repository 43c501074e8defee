package io.berth.server.doctor;

import io.berth.server.config.Config;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Snapshotters that are programs of their own: whether somebody listens on their sockets. Asks them nothing. */
final class ExamineSnapshotters implements Examination {

    private static final String AREA = "snapshotters";

    @Override
    public List<Finding> look(Host host, Config config) {
        List<Finding> found = new ArrayList<>();
        config.proxySnapshotters().forEach((name, socket) -> found.add(listens(host.path(socket))
                ? Finding.fine(AREA, name + " listens on " + socket)
                : Finding.problem(AREA, "nobody listens on " + socket + ", the socket of snapshotter " + name,
                        "start it before pods that need it, or correct proxy_plugins." + name + ".address")));
        return found;
    }

    private static boolean listens(Path socket) {
        try (SocketChannel probe = SocketChannel.open(StandardProtocolFamily.UNIX)) {
            return probe.connect(UnixDomainSocketAddress.of(socket));
        } catch (IOException | IllegalArgumentException nobody) {
            return false;
        }
    }
}
