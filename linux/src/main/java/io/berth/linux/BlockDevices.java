package io.berth.linux;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Names of block devices. Source: sysfs(5). */
final class BlockDevices {

    private BlockDevices() {}

    /** {@code /dev/} and the kernel's name, or the numbers where there is no such device. */
    static String name(int major, int minor) {
        String numbers = major + ":" + minor;
        try {
            return "/dev/" + Files.readSymbolicLink(Path.of("/sys/dev/block/" + numbers)).getFileName();
        } catch (IOException unknown) {
            return numbers;
        }
    }
}
