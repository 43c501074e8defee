package io.berth.pod.container;

import io.berth.base.RuntimeFault;
import io.berth.linux.RelabelTree;
import io.berth.pod.Directories;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/**
 * Gives a volume the SELinux label of a container's files. What belongs to the node is refused: with the label of a pod it
 * would be that pod's, and lost to everybody else.
 *
 * @param own where Berth keeps its files
 */
record RelabelVolume(Directories own) {

    private static final List<Path> SYSTEM = Stream.of("/bin", "/boot", "/dev", "/etc", "/lib", "/lib64", "/proc", "/sbin", "/sys",
            "/usr", "/run/systemd").map(Path::of).toList();
    /** Volumes are within it, and all of them are not one. */
    private static final Path KUBELET = Path.of("/var/lib/kubelet");

    /**
     * @param volume a real path
     * @throws RuntimeFault INVALID_ARGUMENT for a directory of the node
     */
    void relabel(Path volume, String label) {
        requireVolume(volume);
        RelabelTree.at(volume, label);
    }

    void requireVolume(Path volume) {
        List<Path> nodes = Stream.concat(SYSTEM.stream(), Stream.of(own.root(), own.state())).toList();
        boolean within = nodes.stream().anyMatch(volume::startsWith);
        boolean around = nodes.stream().anyMatch(path -> path.startsWith(volume)) || KUBELET.startsWith(volume);
        if (volume.getNameCount() < 2 || within || around) {
            throw RuntimeFault.invalid("label " + volume + " for a container: it belongs to the node: mount a directory of the"
                    + " pod's own, or do not ask for a label");
        }
    }
}
