package io.berth.linux;

import java.nio.file.Path;
import java.util.concurrent.Callable;

/**
 * The first process of a shared PID namespace: a static program of about 270 bytes that gives all privileges up and waits.
 * Orphans of the pod become its children, and since it ignores SIGCHLD the kernel reaps them.
 *
 * <p>In C: {@code chroot("."); chdir("/"); setgroups(0, 0); setresgid(65534, 65534, 65534); setresuid(65534, 65534, 65534);
 * signal(SIGCHLD, SIG_IGN); for (;;) pause();}. It is written out as bytes so that no image, compiler or further file is
 * needed on the node. Source: elf(5), pid_namespaces(7), sigaction(2) "SA_NOCLDWAIT".
 */
public final class PauseProgram {

    private static final String X86_64 = """
            488d3d64000000b8a10000000f05488d3d58000000b8500000000f0531ff31f6b8740000000f05bffeff000089fe89fab877
            0000000f05bffeff000089fe89fab8750000000f05bf11000000488d351d00000031d241ba08000000b80d0000000f05b822
            0000000f05ebf72e002f00900100000000000000000000000000000000000000000000000000000000000000""";
    private static final String AARCH64 = """
            20040010680680d2010000d4c0030050280680d2010000d4000080d2010080d2e81380d2010000d4c0ff9f52e103002ae203
            002aa81280d2010000d4c0ff9f52e103002ae203002a681280d2010000d4200280d2a1010010020080d2030180d2c81080d2
            010000d4000080d2010080d2020080d2030080d2280980d2010000d4faffff172e002f000100000000000000000000000000
            000000000000000000000000000000000000""";

    private PauseProgram() {}

    /** Writes it to {@code file}, executable for everybody: for the root file system of a container that only waits. */
    public static void write(Path file) {
        TinyProgram.writeForAll(file, TinyProgram.code(X86_64, AARCH64));
    }

    /**
     * Starts it as process 1 of a new PID namespace, which is pinned at {@code pin}. The namespace lives as long as the
     * process; the caller ends it with {@link Signals#KILL} and {@link Processes#reap}.
     *
     * @param directory an otherwise empty directory that becomes its root
     * @return its process number in Berth's namespace
     */
    public static int start(Path directory, Path pin) {
        Callable<Integer> work = () -> {
            try (TinyProgram.Ready program =
                    TinyProgram.ready(directory.resolve("pause"), TinyProgram.code(X86_64, AARCH64))) {
                Kernel.check(Kernel.tryCall(SystemCall.UNSHARE, Namespace.PID.flag, 0), "unshare", Namespace.PID);
                return program.spawn().directory(directory).newSession().start().release();
            }
        };
        int pid = Namespaces.onFreshThread("pause", work);
        try {
            Namespaces.pin(pid, Namespace.PID, pin);
        } catch (RuntimeException failure) {
            Processes.startTicks(pid).ifPresent(start -> Processes.signal(pid, start, Signals.KILL));
            Processes.reap(pid);
            throw failure;
        }
        return pid;
    }
}
