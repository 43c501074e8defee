package io.berth.nri.conflict;

import io.berth.base.RuntimeFault;
import io.berth.nri.v1.ContainerAdjustment;
import io.berth.nri.v1.Hook;
import io.berth.nri.v1.Hooks;
import io.berth.nri.v1.KeyValue;
import io.berth.nri.v1.LinuxContainerAdjustment;
import io.berth.nri.v1.LinuxDevice;
import io.berth.nri.v1.LinuxNamespace;
import io.berth.nri.v1.Mount;
import io.berth.nri.v1.POSIXRlimit;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** What an adjustment must be like before anything is done with it. Each is refused with a reason that names it. */
final class AdjustmentRules {

    private static final Set<String> NAMESPACES = Set.of("pid", "network", "mount", "ipc", "uts", "user", "cgroup", "time");
    private static final Set<String> DEVICE_TYPES = Set.of("b", "c", "u", "p");
    private static final Pattern RLIMIT = Pattern.compile("RLIMIT_[A-Z]+");
    private static final Pattern SYSCTL = Pattern.compile("[A-Za-z0-9_][A-Za-z0-9_./:-]*");
    private static final Pattern SYSTEMD_CGROUP = Pattern.compile("[^/]+\\.slice:[^/:]+:[^/:]+");

    private AdjustmentRules() {}

    /** @throws RuntimeFault INVALID_ARGUMENT */
    static void check(ContainerAdjustment wanted) {
        wanted.getAnnotationsMap().keySet().forEach(key -> require(!Removal.key(key).isEmpty(), "annotation", key,
                "the key is empty"));
        wanted.getMountsList().forEach(AdjustmentRules::mount);
        wanted.getEnvList().forEach(AdjustmentRules::variable);
        wanted.getArgsList().forEach(argument -> withoutNul("argument", argument));
        hooks(wanted.getHooks());
        for (POSIXRlimit limit : wanted.getRlimitsList()) {
            require(RLIMIT.matcher(limit.getType()).matches(), "limit", limit.getType(), "a name like RLIMIT_NOFILE is needed");
            require(Long.compareUnsigned(limit.getSoft(), limit.getHard()) <= 0, "limit", limit.getType(),
                    "the soft limit is above the hard one");
        }
        linux(wanted.getLinux());
    }

    private static void mount(Mount mount) {
        boolean removal = Removal.isMarked(mount.getDestination());
        path("mount", Removal.key(mount.getDestination()));
        if (!removal) {
            withoutNul("mount", mount.getType());
            withoutNul("mount", mount.getSource());
            mount.getOptionsList().forEach(option -> withoutNul("mount", option));
            boolean bind = mount.getType().equals("bind") || Stream.of("bind", "rbind").anyMatch(
                    mount.getOptionsList()::contains);
            require(!bind || mount.getSource().startsWith("/"), "mount", mount.getDestination(),
                    "the source \"" + mount.getSource() + "\" of a bind mount must be absolute");
        }
    }

    private static void variable(KeyValue entry) {
        String key = Removal.key(entry.getKey());
        require(!key.isEmpty() && key.indexOf('=') < 0, "environment variable", entry.getKey(), "that is no name");
        withoutNul("environment variable", key);
        withoutNul("environment variable", entry.getValue());
    }

    private static void hooks(Hooks hooks) {
        Stream.of(hooks.getPrestartList(), hooks.getCreateRuntimeList(), hooks.getCreateContainerList(),
                hooks.getStartContainerList(), hooks.getPoststartList(), hooks.getPoststopList()).flatMap(List::stream)
                .map(Hook::getPath).forEach(path -> path("hook", path));
    }

    private static void linux(LinuxContainerAdjustment wanted) {
        for (LinuxDevice device : wanted.getDevicesList()) {
            path("device", Removal.key(device.getPath()));
            require(Removal.isMarked(device.getPath()) || DEVICE_TYPES.contains(device.getType()), "device", device.getPath(),
                    "its type \"" + device.getType() + "\" is none of b, c, u and p");
        }
        for (LinuxNamespace namespace : wanted.getNamespacesList()) {
            require(NAMESPACES.contains(Removal.key(namespace.getType())), "namespace", namespace.getType(),
                    "there is no such kind");
            require(namespace.getPath().isEmpty() || namespace.getPath().startsWith("/"), "namespace", namespace.getType(),
                    "its path " + namespace.getPath() + " must be absolute");
        }
        wanted.getSysctlMap().keySet().forEach(key -> require(SYSCTL.matcher(Removal.key(key)).matches() && !key.contains(".."),
                "sysctl", key, "that is no name"));
        String cgroup = wanted.getCgroupsPath();
        require(cgroup.isEmpty() || SYSTEMD_CGROUP.matcher(cgroup).matches()
                || cgroup.matches("/.+") && !List.of(cgroup.split("/")).contains(".."), "cgroup", cgroup,
                "an absolute path below the root, or SLICE:PREFIX:NAME with systemd, is needed");
    }

    private static void path(String what, String path) {
        withoutNul(what, path);
        require(path.startsWith("/") && path.length() > 1, what, path, "an absolute path is needed");
        require(!List.of(path.split("/")).contains(".."), what, path, "\"..\" is not allowed");
    }

    private static void withoutNul(String what, String text) {
        require(text.indexOf('\0') < 0, what, text.replace("\0", "\\0"), "it contains a zero byte");
    }

    private static void require(boolean condition, String what, String name, String reason) {
        if (!condition) {
            throw RuntimeFault.invalid(what + " \"" + name + "\": " + reason);
        }
    }
}
