package io.berth.linux;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What a cgroup has read from and written to one block device since it was made. Source: cgroup-v2, io.stat; cgroup-v1,
 * blkio.
 *
 * @param device a name such as {@code /dev/sda}, or its numbers where it has no name
 */
public record CgroupIo(String device, int major, int minor, long readBytes, long writtenBytes, long reads, long writes) {

    private static final Pattern DEVICE = Pattern.compile("([0-9]{1,6}):([0-9]{1,7}) (.*)");
    private static final List<String> SCHEDULERS = List.of("throttle.", "bfq.", "");

    /** One entry a device that was used, in the order of their numbers. */
    public static List<CgroupIo> read(Cgroups cgroups, String group) {
        return cgroups.isUnified() ? readUnified(cgroups, group) : readByController(cgroups, group);
    }

    private static List<CgroupIo> readUnified(Cgroups cgroups, String group) {
        List<CgroupIo> devices = new ArrayList<>();
        cgroups.read("io", group, "io.stat").stream().flatMap(String::lines).map(DEVICE::matcher)
                .filter(Matcher::matches).forEach(line -> {
                    Map<String, Long> figures = CgroupText.table(Optional.of(line.group(3)
                            .replace(' ', '\n').replace('=', ' ')));
                    add(devices, line.group(1) + ":" + line.group(2), figures, "rbytes", "wbytes", figures, "rios", "wios");
                });
        return devices;
    }

    // Which of the schedulers counts depends on the devices; the first that has seen anything is taken.
    private static List<CgroupIo> readByController(Cgroups cgroups, String group) {
        List<CgroupIo> devices = new ArrayList<>();
        for (String scheduler : SCHEDULERS) {
            Map<String, Map<String, Long>> bytes = byDevice(
                    cgroups.read("blkio", group, "blkio." + scheduler + "io_service_bytes_recursive"));
            Map<String, Map<String, Long>> operations = byDevice(
                    cgroups.read("blkio", group, "blkio." + scheduler + "io_serviced_recursive"));
            bytes.forEach((device, figures) -> add(devices, device, figures, "Read", "Write",
                    operations.getOrDefault(device, Map.of()), "Read", "Write"));
            if (!devices.isEmpty()) {
                break;
            }
        }
        return devices;
    }

    private static Map<String, Map<String, Long>> byDevice(Optional<String> text) {
        Map<String, Map<String, Long>> devices = new TreeMap<>();
        text.stream().flatMap(String::lines).map(DEVICE::matcher).filter(Matcher::matches).forEach(line ->
                devices.computeIfAbsent(line.group(1) + ":" + line.group(2), key -> new TreeMap<>())
                        .putAll(CgroupText.table(Optional.of(line.group(3)))));
        return devices;
    }

    private static void add(List<CgroupIo> devices, String numbers, Map<String, Long> bytes, String read, String write,
            Map<String, Long> operations, String reads, String writes) {
        int colon = numbers.indexOf(':');
        int major = Integer.parseInt(numbers.substring(0, colon));
        int minor = Integer.parseInt(numbers.substring(colon + 1));
        devices.add(new CgroupIo(BlockDevices.name(major, minor), major, minor, bytes.getOrDefault(read, 0L),
                bytes.getOrDefault(write, 0L), operations.getOrDefault(reads, 0L), operations.getOrDefault(writes, 0L)));
    }
}
