package io.berth.pod.request;

import io.berth.base.RuntimeFault;
import io.berth.cri.v1.HugepageLimit;
import io.berth.cri.v1.LinuxContainerResources;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.BitSet;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Refuses limits that no kernel would take. 0 and the empty text mean that none is asked for. Source: the kernel's
 * sched-bwc, cgroup-v1/memory, cpuset and hugetlb documents.
 */
public final class CheckResources {

    private static final long UNLIMITED = -1;
    /** With less a runtime cannot even start a container. */
    private static final long LEAST_MEMORY_BYTES = 6 << 20;
    private static final int MAX_NUMBER = 65_536;
    private static final Pattern RANGE = Pattern.compile("([0-9]{1,5})(?:-([0-9]{1,5}))?");
    private static final Pattern PAGE_SIZE = Pattern.compile("([0-9]{1,6})(KB|MB|GB)");

    private CheckResources() {}

    /**
     * Looks at each limit.
     *
     * @param what begins the message
     * @throws RuntimeFault INVALID_ARGUMENT that names the field
     */
    public static void check(String what, LinuxContainerResources wanted) {
        within(what + "cpu_period", wanted.getCpuPeriod(), 1000, 1_000_000, 0);
        within(what + "cpu_quota", wanted.getCpuQuota(), 1000, Long.MAX_VALUE / 1000, UNLIMITED);
        within(what + "cpu_shares", wanted.getCpuShares(), 2, Long.MAX_VALUE, 0);
        within(what + "memory_limit_in_bytes", wanted.getMemoryLimitInBytes(), LEAST_MEMORY_BYTES, Long.MAX_VALUE, UNLIMITED);
        within(what + "memory_swap_limit_in_bytes", wanted.getMemorySwapLimitInBytes(), LEAST_MEMORY_BYTES, Long.MAX_VALUE, UNLIMITED);
        if (wanted.getMemorySwapLimitInBytes() > 0 && wanted.getMemorySwapLimitInBytes() < wanted.getMemoryLimitInBytes()) {
            throw RuntimeFault.invalid(what + "memory_swap_limit_in_bytes " + wanted.getMemorySwapLimitInBytes()
                    + " is of memory and swap together, so it cannot be below the memory limit "
                    + wanted.getMemoryLimitInBytes());
        }
        within(what + "oom_score_adj", wanted.getOomScoreAdj(), -1000, 1000, 0);
        set(what + "cpuset_cpus", wanted.getCpusetCpus(), Path.of("/sys/devices/system/cpu/online"));
        set(what + "cpuset_mems", wanted.getCpusetMems(), Path.of("/sys/devices/system/node/online"));
        wanted.getHugepageLimitsList().forEach(limit -> hugepages(what, limit));
        wanted.getUnifiedMap().forEach((name, value) -> {
            RequestText.name(what + "unified", name);
            RequestText.line(what + "unified " + name, value);
        });
    }

    /**
     * The kernel has no limit of memory and swap together without one of memory.
     *
     * @param all the limits as they are to be in the end
     * @throws RuntimeFault INVALID_ARGUMENT
     */
    public static void swap(String what, LinuxContainerResources all) {
        if (all.getMemorySwapLimitInBytes() > 0 && all.getMemoryLimitInBytes() <= 0) {
            throw RuntimeFault.invalid(what + "memory_swap_limit_in_bytes " + all.getMemorySwapLimitInBytes()
                    + " needs memory_limit_in_bytes with it");
        }
    }

    private static void within(String what, long value, long least, long most, long otherwise) {
        if (value != 0 && value != otherwise && (value < least || value > most)) {
            throw RuntimeFault.invalid(what + " " + value + " is not from " + least + " to " + most);
        }
    }

    private static void set(String what, String text, Path online) {
        if (text.isEmpty()) {
            return;
        }
        BitSet wanted = parse(text).orElseThrow(() -> RuntimeFault.invalid(what + " \"" + text.replaceAll("\\p{Cntrl}", "?")
                + "\" is not a list such as 0-3,8"));
        try {
            String there = Files.readString(online).strip();
            parse(there).ifPresent(wanted::andNot);
            if (!wanted.isEmpty()) {
                throw RuntimeFault.invalid(what + " \"" + text + "\": this node has only " + there);
            }
        } catch (IOException notTold) {
            // A kernel without NUMA; the runtime will say.
        }
    }

    static Optional<BitSet> parse(String text) {
        BitSet numbers = new BitSet();
        for (String part : text.split(",", -1)) {
            Matcher range = RANGE.matcher(part);
            if (!range.matches()) {
                return Optional.empty();
            }
            int first = Integer.parseInt(range.group(1));
            int last = range.group(2) == null ? first : Integer.parseInt(range.group(2));
            if (last < first || last >= MAX_NUMBER) {
                return Optional.empty();
            }
            numbers.set(first, last + 1);
        }
        return Optional.of(numbers);
    }

    private static void hugepages(String what, HugepageLimit limit) {
        Matcher size = PAGE_SIZE.matcher(limit.getPageSize());
        if (!size.matches() || limit.getLimit() < 0) {
            throw RuntimeFault.invalid(what + "hugepage limit: page_size \"" + limit.getPageSize() + "\", limit "
                    + Long.toUnsignedString(limit.getLimit()) + ": expected a size such as 2MB and a limit in bytes");
        }
        long kilobytes = Long.parseLong(size.group(1)) * switch (size.group(2)) {
            case "KB" -> 1;
            case "MB" -> 1024;
            default -> 1024 * 1024;
        };
        if (!Files.exists(Path.of("/sys/kernel/mm/hugepages/hugepages-" + kilobytes + "kB"))) {
            throw RuntimeFault.invalid(what + "hugepage limit: page_size " + limit.getPageSize() + ": this node has no such pages");
        }
    }
}
