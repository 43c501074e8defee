package io.berth.shim;

import io.berth.base.RuntimeFault;
import io.berth.linux.Processes;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Optional;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.json.JsonMapper;

/**
 * What is kept of a running shim in its pod's bundle, for a Berth that comes later.
 *
 * @param version of the task service
 * @param socket where it answers
 * @param pid its process, 0 when it does not tell
 * @param startTicks with the number identifies the process
 */
record ShimRecord(int version, String socket, int pid, long startTicks) {

    private static final String NAME = "shim.json";

    static ShimRecord of(ShimAddress address, int pid) {
        return new ShimRecord(address.version(), address.socket().toString(), pid, Processes.startTicks(pid).orElse(0));
    }

    ShimAddress address() {
        return new ShimAddress(version, Path.of(socket));
    }

    void write(Path bundle) {
        try {
            Path beside = Files.write(bundle.resolve("." + NAME), JsonMapper.shared().writeValueAsBytes(this));
            Files.move(beside, bundle.resolve(NAME), StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } catch (IOException e) {
            throw RuntimeFault.internal("note the shim of " + bundle.getFileName() + ": " + RuntimeFault.reason(e), e);
        }
    }

    static Optional<ShimRecord> read(Path bundle) {
        try {
            return Optional.of(JsonMapper.shared().readValue(Files.readAllBytes(bundle.resolve(NAME)), ShimRecord.class));
        } catch (IOException | JacksonException none) {
            return Optional.empty();
        }
    }
}
