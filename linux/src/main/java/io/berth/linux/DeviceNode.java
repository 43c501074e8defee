package io.berth.linux;

import io.berth.base.RuntimeFault;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/**
 * A device node of this machine.
 *
 * @param type {@code c} or {@code b}
 * @param mode the permission bits
 */
public record DeviceNode(String path, String type, int major, int minor, int mode, int uid, int gid) {

    /** What the runtime itself puts into a container's /dev, or what must stay the container's own. */
    private static final Set<String> SKIPPED = Set.of("pts", "shm", "fd", "mqueue", ".lxc", ".lxd-mounts", ".udev", "console");

    /** The node at {@code path}, or empty where it is something else. */
    public static Optional<DeviceNode> at(Path path) {
        try {
            Map<String, Object> attributes =
                    Files.readAttributes(path, "unix:mode,rdev,uid,gid", LinkOption.NOFOLLOW_LINKS);
            int mode = (int) attributes.get("mode");
            int type = mode & Inodes.TYPE_MASK;
            if (type != Inodes.CHARACTER_DEVICE && type != Inodes.BLOCK_DEVICE) {
                return Optional.empty();
            }
            long device = (long) attributes.get("rdev");
            return Optional.of(new DeviceNode(path.toString(), type == Inodes.BLOCK_DEVICE ? "b" : "c",
                    (int) (device >>> 8 & 0xfff | device >>> 32 & 0xfffff000), (int) (device & 0xff | device >>> 12 & 0xffffff00),
                    mode & 07777, (int) attributes.get("uid"), (int) attributes.get("gid")));
        } catch (IOException gone) {
            return Optional.empty();
        }
    }

    /** The node at {@code path}, or all nodes below the directory {@code path}. */
    public static List<DeviceNode> below(String path) {
        Path top = Path.of(path);
        if (!Files.isDirectory(top, LinkOption.NOFOLLOW_LINKS)) {
            return at(top).stream().toList();
        }
        try (Stream<Path> entries = Files.list(top)) {
            return entries.filter(entry -> !SKIPPED.contains(entry.getFileName().toString())).sorted()
                    .flatMap(entry -> below(entry.toString()).stream()).toList();
        } catch (IOException e) {
            throw RuntimeFault.internal("list devices in " + path + ": " + RuntimeFault.reason(e), e);
        }
    }
}
