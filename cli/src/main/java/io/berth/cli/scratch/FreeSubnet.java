package io.berth.cli.scratch;

import io.berth.base.RuntimeFault;
import io.berth.network.builtin.Subnet;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.random.RandomGenerator;

/** Finds a range of addresses that no route of this node touches. Source: proc_net(5), /proc/net/route. */
public final class FreeSubnet {

    private record Range(long first, long last) {}

    private FreeSubnet() {}

    /** A random {@code /24} within 10.128.0.0/9. */
    public static Subnet find() {
        List<Range> taken = routes();
        RandomGenerator random = RandomGenerator.getDefault();
        for (int tries = 0; tries < 1000; tries++) {
            int second = random.nextInt(128, 255);
            int third = random.nextInt(256);
            long first = 10L << 24 | (long) second << 16 | (long) third << 8;
            if (taken.stream().noneMatch(range -> range.first <= first + 255 && first <= range.last)) {
                return Subnet.parse("10." + second + "." + third + ".0/24");
            }
        }
        throw RuntimeFault.precondition("find a free subnet: routes of this node cover 10.128.0.0/9");
    }

    // Columns: interface, destination, gateway, flags, refcnt, use, metric, mask; numbers are in the host's byte order.
    private static List<Range> routes() {
        try {
            List<Range> ranges = new ArrayList<>();
            for (String line : Files.readAllLines(Path.of("/proc/net/route"))) {
                String[] fields = line.trim().split("\\s+");
                if (fields.length > 7 && fields[1].matches("[0-9A-F]{8}") && !fields[7].equals("00000000")) {
                    long first = Integer.toUnsignedLong(Integer.reverseBytes(Integer.parseUnsignedInt(fields[1], 16)));
                    long mask = Integer.toUnsignedLong(Integer.reverseBytes(Integer.parseUnsignedInt(fields[7], 16)));
                    ranges.add(new Range(first, first | ~mask & 0xffffffffL));
                }
            }
            return ranges;
        } catch (IOException e) {
            throw RuntimeFault.internal("read the node's routes: " + RuntimeFault.reason(e), e);
        }
    }
}
