package io.berth.linux;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * What a network interface has carried since it was made. Source: proc_pid_net(5), {@code dev}.
 *
 * <p>Read as text, not over netlink: the file of any process in a namespace tells of that namespace, so that a reader needs
 * neither a thread nor a socket in there, and an open socket would keep the namespace from ending.
 */
public record InterfaceCounters(String name, long rxBytes, long rxPackets, long rxErrors, long rxDropped, long txBytes,
        long txPackets, long txErrors, long txDropped) {

    private static final int COLUMNS = 16;

    /** Those of the namespace that {@code pid} is in, without the loopback; empty when it has ended. */
    public static Optional<List<InterfaceCounters>> seenBy(int pid) {
        try {
            return Optional.of(parse(Files.readString(Path.of("/proc/" + pid + "/net/dev"), StandardCharsets.ISO_8859_1)));
        } catch (IOException gone) {
            return Optional.empty();
        }
    }

    /** Those of the namespace pinned at {@code file}, for one without processes: takes a thread for a moment. */
    public static List<InterfaceCounters> in(Path file) {
        return Namespaces.in(file, () -> parse(
                Files.readString(Path.of("/proc/thread-self/net/dev"), StandardCharsets.ISO_8859_1)));
    }

    static List<InterfaceCounters> parse(String text) {
        List<InterfaceCounters> interfaces = new ArrayList<>();
        for (String line : text.lines().skip(2).toList()) {
            int colon = line.indexOf(':');
            String[] numbers = line.substring(colon + 1).strip().split(" +");
            String name = line.substring(0, Math.max(0, colon)).strip();
            if (numbers.length < COLUMNS || name.isEmpty() || name.equals("lo")) {
                continue;
            }
            interfaces.add(new InterfaceCounters(name, count(numbers[0]), count(numbers[1]), count(numbers[2]),
                    count(numbers[3]), count(numbers[8]), count(numbers[9]), count(numbers[10]), count(numbers[11])));
        }
        return interfaces;
    }

    private static long count(String number) {
        return number.matches("[0-9]{1,20}") ? Long.parseUnsignedLong(number) : 0;
    }
}
