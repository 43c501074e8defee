package io.berth.linux;

import io.berth.base.RuntimeFault;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.HexFormat;

/**
 * Wraps a few hundred bytes of machine code as a static program: what has to run as a process of its own, without threads,
 * and needs no image, compiler or further file on the node. Source: elf(5).
 */
final class TinyProgram {

    private static final long BASE = 0x400000;
    private static final int HEADERS = 64 + 56;
    private static final boolean ARM = System.getProperty("os.arch").equals("aarch64");

    private TinyProgram() {}

    /** The code for this machine, from its hexadecimal forms. */
    static byte[] code(String x86, String arm) {
        return HexFormat.of().parseHex((ARM ? arm : x86).replaceAll("\\s", ""));
    }

    /** Writes the program to {@code file}, executable for its owner only, and returns the file. */
    static Path write(Path file, byte[] code) {
        try {
            Files.createDirectories(file.getParent());
            Files.write(file, elf(code));
            Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("r-x------"));
            return file;
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
