package io.berth.cli.run;

import io.berth.cli.client.DaemonFault;
import io.berth.cli.client.ExitCode;
import io.berth.cri.v1.Mount;
import java.nio.file.Files;
import java.nio.file.Path;

/** Reads {@code HOST:CONTAINER[:ro]}, as docker has it; the host's path must be there. */
public final class VolumeMount {

    private VolumeMount() {}

    /** @throws DaemonFault USAGE for another form, NOT_FOUND when the host's path is not there */
    public static Mount parse(String words) {
        String[] parts = words.split(":", -1);
        boolean valid = (parts.length == 2 || parts.length == 3 && (parts[2].equals("ro") || parts[2].equals("rw")))
                && !parts[0].isEmpty() && parts[1].startsWith("/");
        if (!valid) {
            throw new DaemonFault(ExitCode.USAGE, "mount \"" + words
                    + "\": HOST:CONTAINER[:ro] is needed, with an absolute path in the container, such as /srv/www:/www:ro");
        }
        Path host = Path.of(parts[0]).toAbsolutePath().normalize();
        if (!Files.exists(host)) {
            throw new DaemonFault(ExitCode.NOT_FOUND, "mount " + host + ": it is not there: make it first");
        }
        return Mount.newBuilder().setHostPath(host.toString()).setContainerPath(parts[1])
                .setReadonly(parts.length == 3 && parts[2].equals("ro")).build();
    }
}
