package io.berth.pod.request;

import io.berth.base.RuntimeFault;
import io.berth.cri.v1.ContainerConfig;
import io.berth.cri.v1.KeyValue;
import io.berth.cri.v1.Mount;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/** Refuses a container whose configuration cannot be carried out: names, environment, paths, limits. */
public final class CheckContainer {

    private CheckContainer() {}

    /**
     * Looks at all that needs neither the image nor the node.
     *
     * @param logDirectory the pod's, may be empty
     * @throws RuntimeFault INVALID_ARGUMENT that names the field
     */
    public static void check(ContainerConfig config, String logDirectory) {
        if (config.getMetadata().getName().isEmpty()) {
            throw RuntimeFault.invalid("create container: metadata needs a name");
        }
        RequestText.name("create container: name", config.getMetadata().getName());
        String what = "create container " + config.getMetadata().getName() + ": ";
        config.getEnvsList().forEach(variable -> environment(what, variable));
        if (!config.getWorkingDir().isEmpty()) {
            RequestText.absolute(what + "working_dir", config.getWorkingDir());
        }
        log(what, config.getLogPath(), logDirectory);
        config.getMountsList().forEach(mount -> mount(what, mount));
        config.getDevicesList().forEach(device -> {
            RequestText.absolute(what + "host_path of a device", device.getHostPath());
            if (!device.getContainerPath().isEmpty()) {
                RequestText.absolute(what + "container_path of device " + device.getHostPath(), device.getContainerPath());
            }
        });
        var security = config.getLinux().getSecurityContext();
        Stream.of(security.getMaskedPathsList(), security.getReadonlyPathsList()).flatMap(List::stream)
                .forEach(path -> RequestText.absolute(what + "a masked or read-only path", path));
        CheckResources.check(what, config.getLinux().getResources());
        CheckResources.swap(what, config.getLinux().getResources());
    }

    /** @throws RuntimeFault INVALID_ARGUMENT without a program to run */
    public static void command(String what, List<String> command) {
        if (command.isEmpty() || command.getFirst().isEmpty()) {
            throw RuntimeFault.invalid(what + ": the request names no program");
        }
    }

    private static void environment(String what, KeyValue variable) {
        boolean zero = variable.getValue().toStringUtf8().indexOf('\0') >= 0;
        if (variable.getKey().isEmpty() || variable.getKey().indexOf('=') >= 0 || zero) {
            throw RuntimeFault.invalid(what + "environment variable \"" + variable.getKey()
                    + "\": the name must not be empty or have \"=\" in it, and the value no zero byte");
        }
    }

    // The kubelet gives a path below the pod's directory; anything else would be a file of somebody else.
    private static void log(String what, String path, String directory) {
        if (path.isEmpty()) {
            return;
        }
        RequestText.line(what + "log_path", path);
        Path parent = Path.of("/", directory).normalize();
        Path file = Path.of(parent.toString(), path).normalize();
        if (!file.startsWith(parent) || file.equals(parent)) {
            throw RuntimeFault.invalid(what + "log_path \"" + path + "\" leads out of the pod's log directory");
        }
    }

    private static void mount(String what, Mount mount) {
        if (mount.getContainerPath().isEmpty()) {
            throw RuntimeFault.invalid(what + "mount " + mount.getHostPath() + ": the request names no path in the container");
        }
        if (!mount.getHostPath().isEmpty()) {
            RequestText.absolute(what + "host_path of the mount at " + mount.getContainerPath(), mount.getHostPath());
        }
    }
}
