package io.berth.runtime;

import io.berth.base.RuntimeFault;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import tools.jackson.databind.node.ObjectNode;

/**
 * CRIU's configuration for the restore of one container by runc on cgroup version 2, where runc does not tell CRIU which
 * cgroup the container has. CRIU would put the processes into the one that they were written in: it may be that of the
 * original, which still runs, with its limits, or one that nobody has made and nobody removes.
 *
 * <p>Stateless. Source: criu(8), CONFIGURATION FILES and {@code --cgroup-root}; runc, {@code libcontainer/criu_linux.go}.
 *
 * @param usual the operator's configuration, which runc names without an annotation
 */
record CriuConfiguration(Path usual) {

    /** What names another configuration than the usual one to runc; empty for none. */
    static final String ANNOTATION = "org.criu.config";
    /** The operator's, as runc has it. */
    static final CriuConfiguration OF_RUNC = new CriuConfiguration(Path.of("/etc/criu/runc.conf"));

    private static final int MOST_BYTES = 1 << 20;

    /**
     * Writes it into the bundle and names it in {@code spec}. It stays there: runc reads it for a checkpoint of the restored
     * container too.
     *
     * @param group the container's cgroup, a path below the root of the hierarchy
     */
    void write(Path bundle, ObjectNode spec, String group) {
        // CRIU's file knows no escape for these.
        if (!group.startsWith("/") || !group.matches("[\\x21-\\x7e]+") || group.matches(".*[\"#].*")) {
            throw RuntimeFault.invalid("restore container " + bundle.getFileName() + " in the cgroup " + group
                    + ": CRIU's configuration cannot hold this name: use another parent");
        }
        Path file = bundle.resolve("criu.conf");
        ObjectNode annotations = spec.withObject("annotations");
        String named = annotations.path(ANNOTATION).asString(usual.toString());
        try {
            // An earlier attempt's is named by now.
            String before = named.isEmpty() || named.equals(file.toString()) ? "" : read(Path.of(named));
            Files.writeString(file, before + "\ncgroup-root " + group + "\n", StandardCharsets.ISO_8859_1);
            Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-------"));
        } catch (IOException e) {
            throw RuntimeFault.internal("write CRIU's configuration " + file + ": " + RuntimeFault.reason(e), e);
        }
        annotations.put(ANNOTATION, file.toString());
    }

    // As CRIU does, it takes a file that is not there for an empty one.
    private static String read(Path file) throws IOException {
        try (var in = Files.newInputStream(file)) {
            return new String(in.readNBytes(MOST_BYTES), StandardCharsets.ISO_8859_1);
        } catch (NoSuchFileException none) {
            return "";
        }
    }
}
