package io.berth.linux;

import io.berth.base.RuntimeFault;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Wraps a few hundred bytes of machine code as a static program: what has to run as a process of its own, without threads,
 * and needs no image, compiler or further file on the node. Source: elf(5).
 */
final class TinyProgram {

    private static final long BASE = 0x400000;
    private static final int HEADERS = 64 + 56;
    /** Above what any of these programs is given. */
    private static final int PROGRAM = 5;
    private static final int MFD_CLOEXEC = 1;
    private static final boolean ARM = System.getProperty("os.arch").equals("aarch64");

    private TinyProgram() {}

    /** The code for this machine, from its hexadecimal forms. */
    static byte[] code(String x86, String arm) {
        return HexFormat.of().parseHex((ARM ? arm : x86).replaceAll("\\s", ""));
    }

    /**
     * A program that is ready to be started.
     *
     * @param memory where it is when its file may not be executed; closed after the start
     */
    record Ready(Spawn spawn, Optional<Fd> memory) implements AutoCloseable {
        @Override
        public void close() {
            memory.ifPresent(Fd::close);
        }
    }

    /**
     * Writes the program to {@code file}. The state directory is below /run, which many distributions mount {@code noexec}: the
     * program is run from memory there. This is found out before the start, because the first process of a PID namespace
     * must not fail: its end is the namespace's.
     */
    static Ready ready(Path file, byte[] code) {
        write(file, code, "r-x------");
        if (Files.isExecutable(file)) {
            return new Ready(Spawn.of(List.of(file.toString()), Map.of()), Optional.empty());
        }
        Fd memory = inMemory(file.getFileName().toString(), elf(code));
        return new Ready(Spawn.of(List.of("/proc/self/fd/" + PROGRAM), Map.of()).descriptor(PROGRAM, memory),
                Optional.of(memory));
    }

    private static Fd inMemory(String name, byte[] program) {
        try (Arena arena = Arena.ofConfined()) {
            long made = Kernel.tryCall(SystemCall.MEMFD_CREATE, arena.allocateFrom(name).address(), MFD_CLOEXEC);
            Fd memory = new Fd((int) Kernel.check(made, "make in memory", name));
            memory.write(program, 0, program.length);
            return memory;
        }
    }

    /** Writes the program to {@code file}, readable and executable for everybody. */
    static void writeForAll(Path file, byte[] code) {
        write(file, code, "r-xr-xr-x");
    }

    private static void write(Path file, byte[] code, String permissions) {
        try {
            Files.createDirectories(file.getParent());
            Files.write(file, elf(code));
            Files.setPosixFilePermissions(file, PosixFilePermissions.fromString(permissions));
        } catch (IOException e) {
            throw RuntimeFault.internal("write " + file + ": " + RuntimeFault.reason(e), e);
        }
    }

    private static byte[] elf(byte[] code) {
        int size = HEADERS + code.length;
        ByteBuffer file = ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN);
        file.put(new byte[] {0x7f, 'E', 'L', 'F', 2, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0});
        file.putShort((short) 2).putShort((short) (ARM ? 183 : 62)).putInt(1);
        file.putLong(BASE + HEADERS).putLong(64).putLong(0).putInt(0);
        file.putShort((short) 64).putShort((short) 56).putShort((short) 1);
        file.putShort((short) 0).putShort((short) 0).putShort((short) 0);
        file.putInt(1).putInt(5).putLong(0).putLong(BASE).putLong(BASE).putLong(size).putLong(size).putLong(0x1000);
        return file.put(code).array();
    }
}
