package io.berth.runtime;

import java.nio.file.Path;
import java.util.List;

/**
 * An OCI runtime that pods can ask for by the name of a RuntimeClass handler.
 *
 * @param name the handler's name
 * @param path the runtime's program
 * @param systemdCgroup whether it is to make cgroups through systemd
 * @param privilegedWithoutHostDevices whether a privileged container gets no host device
 * @param arguments put before the runtime's verb
 */
public record RuntimeHandler(String name, Path path, boolean systemdCgroup, boolean privilegedWithoutHostDevices,
        List<String> arguments) {}
