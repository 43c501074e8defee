package io.berth.linux;

import io.berth.base.RuntimeFault;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;

/**
 * Makes a user namespace and further namespaces that it owns, and pins them. A process with threads may not enter a new user
 * namespace, so a small program does it for Berth: it unshares, tells so on descriptor 3, waits on descriptor 4 until the
 * id maps are written, and, where a PID namespace is wanted, leaves a child behind that is its process 1 and behaves as
 * {@link PauseProgram}.
 *
 * <p>In C: {@code unshare(flags) == 0 || _exit(errno); write(3, &flags, 4); read(4, &c, 1) == 1 || _exit(..);
 * if (wantPid && (pid = fork())) write(3, &pid, 4); for (;;) pause();}. Source: user_namespaces(7).
 */
public final class UserNamespaceSet {

    private static final String X86_64 = """
            8b3d2a010000b8100100000f0585c0756bbf03000000488d3513010000ba04000000b8010000000f05bf04000000488db424
            f0ffffffba0100000031c00f0583f80175388b05ea00000085c07425b8390000000f0585c0742e894424f0bf03000000488d
            7424f0ba04000000b8010000000f05b8220000000f05ebf789c7f7dfb8e70000000f05bf03000000b8030000000f05bf0400
            0000b8030000000f05488d3d60000000b8a10000000f05488d3d54000000b8500000000f0531ff31f6b8740000000f05bffe
            ff000089fe89fab8770000000f05bffeff000089fe89fab8750000000f05bf11000000488d351e00000031d241ba08000000
            b80d0000000f05e96dffffff2e002f00660f1f44000001000000000000000000000000000000000000000000000000000000
            000000000000000000000000""";
    private static final String AARCH64 = """
            800a0018280c80d2010000d480040035600080d2e1090010820080d2080880d2010000d4800080d2e14300d1220080d2e807
            80d2010000d41f0400f101030054a0080018e0010034200280d2010080d2020080d2030080d2040080d2881b80d2010000d4
            200200b4e0031fb8600080d2e14300d1820080d2080880d2010000d4000080d2010080d2020080d2030080d2280980d20100
            00d4faffff17e003004bc80b80d2010000d4600080d2280780d2010000d4800080d2280780d2010000d460030010680680d2
            010000d400030050280680d2010000d4000080d2010080d2e81380d2010000d4c0ff9f52e103002ae203002aa81280d20100
            00d4c0ff9f52e103002ae203002a681280d2010000d4200280d2e1000010020080d2030180d2c81080d2010000d4d6ffff17
            2e002f0001000000000000000000000000000000000000000000000000000000000000000000000000000000""";
    private static final Duration LIMIT = Duration.ofSeconds(10);
    private static final int READY = 3;
    private static final int GO = 4;

    private UserNamespaceSet() {}

    /** A range of ids. Source: user_namespaces(7), "User and group ID mappings". */
    public record IdRange(long containerId, long hostId, long length) {
        String line() {
            return containerId + " " + hostId + " " + length + "\n";
        }
    }

    /**
     * Makes and pins USER and {@code kinds} at {@code pins}/{name of the kind}; when a step fails nothing stays pinned.
     *
     * @param kinds any of NET, IPC, UTS and PID
     * @param directory an otherwise empty directory, the root of process 1 of the PID namespace
     * @return the number of that process in Berth's namespace, where PID is among the kinds; the caller ends it
     */
    public static OptionalInt create(Set<Namespace> kinds, List<IdRange> uids, List<IdRange> gids, Path directory,
            Path pins) {
        Set<Namespace> all = EnumSet.copyOf(kinds);
        all.add(Namespace.USER);
        return PlatformThreads.call(() -> {
            try (Fd.Pipe ready = Fd.pipe(); Fd.Pipe go = Fd.pipe();
                    TinyProgram.Ready program = TinyProgram.ready(directory.resolve("userns"), codeFor(all));
                    ChildProcess holder = program.spawn().directory(directory).newSession()
                            .descriptor(READY, ready.write()).descriptor(GO, go.read()).start()) {
                ready.write().close();
                go.read().close();
                number(ready.read(), holder);
                map(holder.pid(), "uid_map", uids);
                map(holder.pid(), "gid_map", gids);
                go.write().write(new byte[] {1}, 0, 1);
                OptionalInt first = kinds.contains(Namespace.PID)
                        ? OptionalInt.of(number(ready.read(), holder)) : OptionalInt.empty();
                pinAll(all, holder.pid(), first, pins);
                return first;
            }
        });
    }

    private static byte[] codeFor(Set<Namespace> all) {
        byte[] code = TinyProgram.code(X86_64, AARCH64);
        int flags = 0;
        for (Namespace kind : all) {
            flags |= kind.flag;
        }
        // The last eight bytes are the two words that the program reads.
        ByteBuffer.wrap(code).order(ByteOrder.LITTLE_ENDIAN).putInt(code.length - 8, flags)
                .putInt(code.length - 4, all.contains(Namespace.PID) ? 1 : 0);
        return code;
    }

    private static int number(Fd from, ChildProcess holder) {
        byte[] word = new byte[4];
        if (!from.awaitReadable(LIMIT.toMillis()) || from.read(word, 0, 4) != 4) {
            int code = holder.await(Duration.ofSeconds(1)).orElse(0);
            throw RuntimeFault.precondition("make a user namespace: " + Errno.words(code)
                    + ": see /proc/sys/user/max_user_namespaces");
        }
        return ByteBuffer.wrap(word).order(ByteOrder.LITTLE_ENDIAN).getInt();
    }

    private static void map(int pid, String file, List<IdRange> ranges) {
        StringBuilder lines = new StringBuilder();
        ranges.forEach(range -> lines.append(range.line()));
        try {
            Files.writeString(Path.of("/proc/" + pid + "/" + file), lines);
        } catch (IOException e) {
            throw RuntimeFault.invalid("map ids " + lines.toString().strip() + ": " + RuntimeFault.reason(e));
        }
    }

    private static void pinAll(Set<Namespace> all, int holder, OptionalInt first, Path pins) {
        Map<Namespace, Path> done = new EnumMap<>(Namespace.class);
        try {
            for (Namespace kind : all) {
                Path pin = pins.resolve(kind.procName());
                // The holder itself stays in its old PID namespace; its child is in the new one.
                Namespaces.pin(kind == Namespace.PID ? first.orElseThrow() : holder, kind, pin);
                done.put(kind, pin);
            }
        } catch (RuntimeException failure) {
            done.values().forEach(Namespaces::unpin);
            first.ifPresent(pid -> Processes.startTicks(pid).ifPresent(start ->
                    Processes.signal(pid, start, Signals.KILL)));
            throw failure;
        }
    }
}
