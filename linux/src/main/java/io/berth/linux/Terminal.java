package io.berth.linux;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Optional;

/**
 * The terminal behind one of this process's own descriptors. Thread-safe, stateless. Source: ioctl_tty(2), termios(3).
 *
 * @param descriptor 0, 1 or 2; stays open
 */
public record Terminal(int descriptor) {

    private static final long TCGETS = 0x5401L;
    private static final long TCSETS = 0x5402L;
    private static final long TIOCGWINSZ = 0x5413L;
    /** The kernel's struct termios: four words of flags, the line discipline, 19 control characters. */
    private static final int TERMIOS_BYTES = 36;

    private static final int INPUT_FLAGS = 0;
    private static final int OUTPUT_FLAGS = 4;
    private static final int CONTROL_FLAGS = 8;
    private static final int LOCAL_FLAGS = 12;
    private static final int CONTROL_CHARACTERS = 17;
    private static final int VTIME = 5;
    private static final int VMIN = 6;
    // IGNBRK, BRKINT, PARMRK, ISTRIP, INLCR, IGNCR, ICRNL, IXON
    private static final int INPUT_OFF = 01 | 02 | 010 | 040 | 0100 | 0200 | 0400 | 02000;
    private static final int OPOST = 01;
    // ECHO, ECHONL, ICANON, ISIG, IEXTEN
    private static final int LOCAL_OFF = 010 | 0100 | 02 | 01 | 0100000;
    private static final int CSIZE = 060;
    private static final int CS8 = 060;
    private static final int PARENB = 0400;

    /** Its size in characters. */
    public record Size(int rows, int columns) {}

    /** Gives the terminal the settings back that it had; idempotent. */
    @FunctionalInterface
    public interface Restore extends AutoCloseable {
        @Override
        void close();
    }

    /** Its size, or empty when the descriptor is no terminal or has no size. */
    public Optional<Size> size() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment size = arena.allocate(8, 2);
            long result = Kernel.tryCall(SystemCall.IOCTL, descriptor, TIOCGWINSZ, size.address(), 0);
            int rows = Short.toUnsignedInt(size.get(ValueLayout.JAVA_SHORT, 0));
            int columns = Short.toUnsignedInt(size.get(ValueLayout.JAVA_SHORT, 2));
            return result < 0 || rows == 0 || columns == 0 ? Optional.empty() : Optional.of(new Size(rows, columns));
        }
    }

    /**
     * Lets every key through as it is pressed, Ctrl-C included, without echo (cfmakeraw). Closing what is returned ends that;
     * until then the terminal is of no use to a shell.
     *
     * @throws SystemCallFault when the descriptor is no terminal
     */
    public Restore raw() {
        byte[] before = settings();
        byte[] raw = before.clone();
        MemorySegment view = MemorySegment.ofArray(raw);
        change(view, INPUT_FLAGS, INPUT_OFF, 0);
        change(view, OUTPUT_FLAGS, OPOST, 0);
        change(view, LOCAL_FLAGS, LOCAL_OFF, 0);
        change(view, CONTROL_FLAGS, CSIZE | PARENB, CS8);
        raw[CONTROL_CHARACTERS + VMIN] = 1;
        raw[CONTROL_CHARACTERS + VTIME] = 0;
        apply(raw);
        return () -> apply(before);
    }

    private static void change(MemorySegment termios, int offset, int off, int on) {
        ValueLayout.OfInt word = ValueLayout.JAVA_INT_UNALIGNED;
        termios.set(word, offset, termios.get(word, offset) & ~off | on);
    }

    private byte[] settings() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment termios = arena.allocate(TERMIOS_BYTES, 4);
            Kernel.check(Kernel.tryCall(SystemCall.IOCTL, descriptor, TCGETS, termios.address(), 0), "read settings of",
                    "terminal");
            return termios.toArray(ValueLayout.JAVA_BYTE);
        }
    }

    private void apply(byte[] settings) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment termios = arena.allocate(TERMIOS_BYTES, 4);
            MemorySegment.copy(settings, 0, termios, ValueLayout.JAVA_BYTE, 0, TERMIOS_BYTES);
            Kernel.check(Kernel.tryCall(SystemCall.IOCTL, descriptor, TCSETS, termios.address(), 0), "set", "terminal");
        }
    }
}
