package io.berth.linux;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * Huge pages of one size in a cgroup, in bytes. Source: cgroup-v2 and cgroup-v1, hugetlb.
 *
 * @param pageSize as the kernel writes it, such as {@code 2MB}
 * @param maxUsage the highest usage, which version 2 does not tell
 */
public record CgroupHugepages(String pageSize, long usage, OptionalLong maxUsage) {

    /** One entry a size; none where the machine does not account huge pages. */
    public static List<CgroupHugepages> read(Cgroups cgroups, String group) {
        String suffix = cgroups.isUnified() ? ".current" : ".usage_in_bytes";
        Optional<Path> directory = cgroups.directory("hugetlb", group);
        if (directory.isEmpty() || !Files.isDirectory(directory.get())) {
            return List.of();
        }
        List<CgroupHugepages> sizes = new ArrayList<>();
        try (DirectoryStream<Path> files = Files.newDirectoryStream(directory.get(), "hugetlb.*" + suffix)) {
            for (Path file : files) {
                String name = file.getFileName().toString();
                String size = name.substring("hugetlb.".length(), name.length() - suffix.length());
                // hugetlb.2MB.rsvd.current counts reservations.
                if (!size.contains(".")) {
                    sizes.add(new CgroupHugepages(size, CgroupText.number(cgroups.read("hugetlb", group, name)).orElse(0),
                            CgroupText.number(cgroups.read("hugetlb", group, "hugetlb." + size + ".max_usage_in_bytes"))));
                }
            }
        } catch (IOException gone) {
            return List.of();
        }
        return sizes;
    }
}
