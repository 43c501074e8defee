package io.berth.network.cni;

import io.berth.base.RuntimeFault;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;

/**
 * The records of earlier versions, which kept them in the state directory: they are moved to where they outlive a restart of
 * the machine, or the pods that were running at an upgrade would never have their addresses given back.
 */
public final class FormerRecords {

    private FormerRecords() {}

    /** Moves what is in {@code former}, if it is there, before the network of {@code settings} is made. */
    public static void move(Path former, CniSettings settings) {
        Path directory = settings.stateDir().resolve("cni");
        if (!Files.isDirectory(former) || former.equals(directory)) {
            return;
        }
        try (var files = Files.newDirectoryStream(former, "*.json")) {
            Files.createDirectories(directory);
            for (Path file : files) {
                // Between two file systems a move is a copy, which a crash may cut: the old one goes last.
                Path beside = directory.resolve(".new-" + file.getFileName());
                Files.copy(file, beside, StandardCopyOption.REPLACE_EXISTING);
                Files.move(beside, directory.resolve(file.getFileName()), StandardCopyOption.ATOMIC_MOVE);
                Files.delete(file);
            }
            Files.delete(former);
        } catch (IOException e) {
            throw RuntimeFault.internal("move cni records from " + former + " to " + directory + ": "
                    + RuntimeFault.reason(e), e);
        }
    }
}
