package io.berth.server.doctor;

import io.berth.linux.Selinux;
import io.berth.server.config.Config;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** The kernel's version and what it was built with. */
final class ExamineKernel implements Examination {

    private static final String AREA = "kernel";

    @Override
    public List<Finding> look(Host host, Config config) {
        List<Finding> found = new ArrayList<>();
        String release = host.read("/proc/sys/kernel/osrelease").orElse("unknown");
        Optional<Version> version = Version.in(release);
        if (version.isEmpty() || version.get().isBefore(5, 12, 0)) {
            found.add(Finding.problem(AREA, "it is " + release, "Berth needs 5.12 or newer (mount_setattr, openat2, pidfd)"));
        } else if (version.get().isBefore(6, 3, 0)) {
            found.add(Finding.note(AREA, "it is " + release, "from 6.3 on, tmpfs can be idmapped, which pods with a user"
                    + " namespace and memory volumes need"));
        } else {
            found.add(Finding.fine(AREA, "it is " + release));
        }
        String filesystems = host.read("/proc/filesystems").orElse("");
        boolean loadable = host.read("/lib/modules/" + release + "/modules.dep").orElse("").contains("/overlay.ko");
        found.add(filesystems.contains("\toverlay") || loadable ? Finding.fine(AREA, "overlayfs is there")
                : Finding.problem(AREA, "overlayfs is not there", "modprobe overlay, and name it in /etc/modules-load.d"));
        found.add(userNamespaces(host));
        found.add(host.read("/proc/self/status").orElse("").contains("Seccomp:") ? Finding.fine(AREA, "seccomp is there")
                : Finding.problem(AREA, "seccomp is not built in", "take a kernel with CONFIG_SECCOMP_FILTER"));
        if (host.read("/proc/sys/net/ipv4/ip_forward").filter("0"::equals).isPresent()) {
            found.add(Finding.problem(AREA, "IPv4 forwarding is off: pods reach nothing outside", "sysctl -w"
                    + " net.ipv4.ip_forward=1, and write it to /etc/sysctl.d"));
        }
        appArmor(host).ifPresent(found::add);
        selinux(config).ifPresent(found::add);
        return found;
    }

    private static Optional<Finding> appArmor(Host host) {
        if (host.read("/sys/module/apparmor/parameters/enabled").filter("Y"::equals).isEmpty()) {
            return Optional.empty();
        }
        return Optional.of(host.find("apparmor_parser").isPresent() ? Finding.fine(AREA, "AppArmor confines containers")
                : Finding.warning(AREA, "AppArmor is on, and nothing is there to load profiles: containers run without, and those"
                        + " that ask for the default are refused", "install the package apparmor"));
    }

    private static Optional<Finding> selinux(Config config) {
        Selinux selinux = Selinux.ofThisMachine();
        if (!selinux.isEnabled()) {
            return Optional.empty();
        }
        String mode = selinux.isEnforcing() ? "enforcing" : "permissive";
        if (!config.runtime().selinux()) {
            return Optional.of(Finding.note(AREA, "SELinux is " + mode + ", and containers get no labels of their own",
                    "set runtime.enable_selinux = true"));
        }
        return Optional.of(selinux.ofContainers(Selinux.Kind.PROCESS).isPresent()
                ? Finding.fine(AREA, "SELinux is " + mode + ", with labels for containers")
                : Finding.note(AREA, "SELinux is " + mode + ", and its policy has no labels for containers",
                        "install the distribution's container policy (container-selinux)"));
    }

    private static Finding userNamespaces(Host host) {
        Optional<Long> most = host.read("/proc/sys/user/max_user_namespaces").map(Long::parseLong);
        return most.isPresent() && most.get() > 0 ? Finding.fine(AREA, "user namespaces are there")
                : Finding.note(AREA, "user namespaces are switched off: pods with hostUsers: false are refused",
                        "sysctl -w user.max_user_namespaces=15000");
    }
}
