package io.berth.network.builtin;

import io.berth.base.RuntimeFault;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Kernel settings of the host's network namespace, through {@code /proc/sys/net}. Source: ip-sysctl.rst. */
final class Sysctl {

    private static final Path ROOT = Path.of("/proc/sys/net");

    private Sysctl() {}

    /** Sets {@code name} (with slashes, below {@code net}) unless it has the value. */
    static void set(String name, String value) {
        Path file = ROOT.resolve(name);
        try {
            if (!Files.readString(file).strip().equals(value)) {
                Files.writeString(file, value);
            }
        } catch (IOException e) {
            throw RuntimeFault.internal("set sysctl net/" + name + " to " + value + ": " + RuntimeFault.reason(e), e);
        }
    }
}
