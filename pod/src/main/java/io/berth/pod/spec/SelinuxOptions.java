package io.berth.pod.spec;

import io.berth.base.RuntimeFault;
import io.berth.cri.v1.LinuxContainerSecurityContext;
import io.berth.cri.v1.SELinuxOption;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Berth sets no SELinux labels. Where the kernel has no SELinux, options that name one mean nothing and are passed over, as
 * with the peers; where it has, a container that asks for one must not run without. ADR 5 has the reasons.
 *
 * @param selinux where selinuxfs is mounted when the kernel has SELinux
 */
record SelinuxOptions(Path selinux) {

    static final Path USUAL = Path.of("/sys/fs/selinux");

    /** @throws RuntimeFault FAILED_PRECONDITION where the container asks for a label and the kernel has SELinux */
    void check(LinuxContainerSecurityContext security) {
        SELinuxOption wanted = security.getSelinuxOptions();
        boolean named = !wanted.getUser().isEmpty() || !wanted.getRole().isEmpty() || !wanted.getType().isEmpty()
                || !wanted.getLevel().isEmpty();
        if (named && Files.exists(selinux.resolve("enforce"))) {
            throw RuntimeFault.precondition("use SELinux label \"" + wanted.getUser() + ":" + wanted.getRole() + ":"
                    + wanted.getType() + ":" + wanted.getLevel() + "\": this node has SELinux, and Berth sets no labels yet:"
                    + " leave seLinuxOptions out, or run the pod on another node");
        }
    }
}
