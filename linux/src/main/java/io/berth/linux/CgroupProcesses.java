package io.berth.linux;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.stream.Stream;

/**
 * The processes of a cgroup and of those below it.
 *
 * @param ids of the processes
 * @param threads empty where the kernel does not count them
 * @param threadLimit empty where there is none
 */
public record CgroupProcesses(List<Integer> ids, OptionalLong threads, OptionalLong threadLimit) {

    private static final int DEPTH_LIMIT = 32;

    /** Reads {@code group}; without processes when it does not exist. Looks into one hierarchy only. */
    public static CgroupProcesses read(Cgroups cgroups, String group) {
        List<Integer> ids = new ArrayList<>();
        Stream.of("pids", "memory", "cpu").map(controller -> cgroups.directory(controller, group)).flatMap(Optional::stream)
                .findFirst().ifPresent(top -> collect(top, 0, ids));
        return new CgroupProcesses(ids, CgroupText.number(cgroups.read("pids", group, "pids.current")),
                CgroupText.number(cgroups.read("pids", group, "pids.max")));
    }

    private static void collect(Path directory, int depth, List<Integer> ids) {
        try {
            Files.readString(directory.resolve("cgroup.procs")).lines().map(Integer::valueOf).filter(pid -> pid > 0)
                    .forEach(ids::add);
            // A directory of this file system has two links and one for each below it: most have none to look for.
            if (depth < DEPTH_LIMIT && (int) Files.getAttribute(directory, "unix:nlink") != 2) {
                try (DirectoryStream<Path> below = Files.newDirectoryStream(directory, Files::isDirectory)) {
                    below.forEach(each -> collect(each, depth + 1, ids));
                }
            }
        } catch (IOException gone) {
            // Removed meanwhile, or a threaded group, whose processes its parent lists.
            return;
        }
    }
}
