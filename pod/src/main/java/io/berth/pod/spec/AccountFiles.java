package io.berth.pod.spec;

import io.berth.base.RuntimeFault;
import io.berth.linux.Errno;
import io.berth.linux.Fd;
import io.berth.linux.Inodes;
import io.berth.linux.RootedPath;
import io.berth.linux.SystemCallFault;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * The passwd and group files of an image: hostile, so opened inside its root, refused when they are large, and looked through
 * line by line each time: what they could be taken apart into has a multiple of their size. Lines that do not parse are
 * passed over, and so is what is no file. Source: passwd(5), group(5).
 */
record AccountFiles(String passwd, String group) {

    private static final int LIMIT_BYTES = 1 << 20;
    /** As many groups as a process can have (NGROUPS_MAX). */
    private static final int GROUPS_LIMIT = 65_536;

    record User(String name, long uid, long gid, String home) {}

    private record Group(String name, long gid, String members) {
        boolean has(String user) {
            return ("," + members + ",").contains("," + user + ",");
        }
    }

    static AccountFiles of(Path rootfs) {
        return new AccountFiles(text(rootfs, "/etc/passwd"), text(rootfs, "/etc/group"));
    }

    Optional<User> user(String name) {
        return users().filter(user -> user.name.equals(name)).findFirst();
    }

    Optional<User> user(long uid) {
        return users().filter(user -> user.uid == uid).findFirst();
    }

    /** The number of the group called {@code name}. */
    Optional<Long> group(String name) {
        return groups().filter(group -> group.name.equals(name)).findFirst().map(Group::gid);
    }

    List<Long> groupsOf(String userName) {
        return groups().filter(group -> group.has(userName)).map(Group::gid).limit(GROUPS_LIMIT).toList();
    }

    private static String text(Path rootfs, String path) {
        try (Fd file = RootedPath.openReadOnly(rootfs, path)) {
            Inodes.Status status = Inodes.status(file);
            if (status.type() != Inodes.REGULAR) {
                return "";
            }
            if (status.sizeBytes() > LIMIT_BYTES) {
                throw RuntimeFault.invalid("read " + path + " of the image: it has " + status.sizeBytes() + " bytes, more than "
                        + LIMIT_BYTES + ": give the user by number in an image without it");
            }
            return file.readAll(LIMIT_BYTES);
        } catch (SystemCallFault fault) {
            if (fault.errno() == Errno.ENOENT || fault.errno() == Errno.ENOTDIR) {
                return "";
            }
            throw fault;
        }
    }

    // No more parts than are looked at: the rest of a line may be of nothing but colons.
    private static Stream<String[]> lines(String text) {
        return text.lines().filter(line -> !line.startsWith("#")).map(line -> line.split(":", 7));
    }

    private Stream<User> users() {
        return lines(passwd).filter(fields -> fields.length >= 6 && isId(fields[2]) && isId(fields[3])).map(fields -> {
            boolean printable = fields[5].chars().noneMatch(c -> c < 0x20 || c == 0x7f);
            return new User(fields[0], Long.parseLong(fields[2]), Long.parseLong(fields[3]), printable ? fields[5] : "");
        });
    }

    private Stream<Group> groups() {
        return lines(group).filter(fields -> fields.length >= 4 && isId(fields[2]))
                .map(fields -> new Group(fields[0], Long.parseLong(fields[2]), fields[3]));
    }

    private static boolean isId(String text) {
        return text.matches("[0-9]{1,10}") && Long.parseLong(text) <= 0xfffffffeL;
    }
}
