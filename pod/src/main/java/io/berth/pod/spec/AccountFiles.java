package io.berth.pod.spec;

import io.berth.linux.Errno;
import io.berth.linux.Fd;
import io.berth.linux.RootedPath;
import io.berth.linux.SystemCallFault;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;

/**
 * The passwd and group files of an image: hostile, so opened inside its root, read up to a limit, and lines that do not
 * parse are passed over. Source: passwd(5), group(5).
 */
record AccountFiles(List<User> users, List<Group> groups) {

    private static final int LIMIT_BYTES = 8 << 20;

    record User(String name, long uid, long gid, String home) {}

    record Group(String name, long gid, List<String> members) {}

    static AccountFiles of(Path rootfs) {
        return new AccountFiles(lines(rootfs, "/etc/passwd", AccountFiles::user),
                lines(rootfs, "/etc/group", AccountFiles::group));
    }

    Optional<User> user(String name) {
        return users.stream().filter(user -> user.name.equals(name)).findFirst();
    }

    Optional<User> user(long uid) {
        return users.stream().filter(user -> user.uid == uid).findFirst();
    }

    Optional<Group> group(String name) {
        return groups.stream().filter(group -> group.name.equals(name)).findFirst();
    }

    List<Long> groupsOf(String userName) {
        return groups.stream().filter(group -> group.members.contains(userName)).map(Group::gid).toList();
    }

    private static <T> List<T> lines(Path rootfs, String path, Function<String[], Optional<T>> parse) {
        String text;
        try (Fd file = RootedPath.openReadOnly(rootfs, path)) {
            text = file.readAll(LIMIT_BYTES);
        } catch (SystemCallFault fault) {
            if (fault.errno() == Errno.ENOENT || fault.errno() == Errno.ENOTDIR) {
                return List.of();
            }
            throw fault;
        }
        List<T> parsed = new ArrayList<>();
        text.lines().filter(line -> !line.startsWith("#")).map(line -> line.split(":", -1))
                .forEach(fields -> parse.apply(fields).ifPresent(parsed::add));
        return parsed;
    }

    private static Optional<User> user(String[] fields) {
        if (fields.length < 6 || !isId(fields[2]) || !isId(fields[3])) {
            return Optional.empty();
        }
        boolean printable = fields[5].chars().noneMatch(c -> c < 0x20 || c == 0x7f);
        return Optional.of(new User(fields[0], Long.parseLong(fields[2]), Long.parseLong(fields[3]),
                printable ? fields[5] : ""));
    }

    private static Optional<Group> group(String[] fields) {
        return fields.length < 4 || !isId(fields[2]) ? Optional.empty()
                : Optional.of(new Group(fields[0], Long.parseLong(fields[2]), List.of(fields[3].split(","))));
    }

    private static boolean isId(String text) {
        return text.matches("[0-9]{1,10}") && Long.parseLong(text) <= 0xfffffffeL;
    }
}
