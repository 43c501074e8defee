package io.berth.linux;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;

/**
 * A pseudo-terminal. The owner of this object owns both sides and closes it; the side for a child is closed as soon as the
 * child has it, so that the end of the child is the end of the input. Source: pty(7), ioctl_tty(2).
 *
 * @param terminal the side that a program has as its terminal
 * @param master the other side
 */
public record Pty(Fd master, Fd terminal) implements AutoCloseable {

    private static final long TIOCSPTLCK = 0x40045431L;
    private static final long TIOCGPTN = 0x80045430L;
    private static final long TIOCSWINSZ = 0x5414L;
    private static final int O_NOCTTY = 0400;

    /** Opens a new one. */
    public static Pty open() {
        Fd master = Fd.open(Path.of("/dev/ptmx"), Fd.O_RDWR | O_NOCTTY, 0);
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment word = arena.allocate(4, 4);
            Kernel.check(Kernel.tryCall(SystemCall.IOCTL, master.number(), TIOCSPTLCK, word.address(), 0), "unlock", "pty");
            Kernel.check(Kernel.tryCall(SystemCall.IOCTL, master.number(), TIOCGPTN, word.address(), 0), "number", "pty");
            Fd terminal = Fd.open(Path.of("/dev/pts/" + word.get(ValueLayout.JAVA_INT, 0)), Fd.O_RDWR | O_NOCTTY, 0);
            return new Pty(master, terminal);
        } catch (RuntimeException failure) {
            master.close();
            throw failure;
        }
    }

    /** Sets its size in characters; who has it as its terminal learns of that by SIGWINCH where it is in the foreground. */
    public void resize(int rows, int columns) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment size = arena.allocate(8, 2);
            size.set(ValueLayout.JAVA_SHORT, 0, (short) rows);
            size.set(ValueLayout.JAVA_SHORT, 2, (short) columns);
            Kernel.check(Kernel.tryCall(SystemCall.IOCTL, master.number(), TIOCSWINSZ, size.address(), 0), "resize", "pty");
        }
    }

    @Override
    public void close() {
        terminal.close();
        master.close();
    }
}
