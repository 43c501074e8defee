package io.berth.pod.spec;

import io.berth.base.RandomId;
import io.berth.base.RuntimeFault;
import io.berth.cri.v1.LinuxContainerSecurityContext;
import io.berth.cri.v1.SELinuxOption;
import io.berth.linux.Selinux;
import io.berth.pod.record.Sandbox;
import java.util.Collection;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * The SELinux labels of pods: the policy's labels for containers, with two categories that no other pod has, so that pods
 * cannot reach each other's files, and with what a pod or container asks for in their place. ADR 5 has the reasons.
 * Thread-safe.
 */
public final class SelinuxLabels {

    /**
     * @param process of the container's processes
     * @param file of its root file system and of its volumes
     */
    public record Labels(String process, String file) {}

    private static final int CATEGORIES = 1024;
    private static final Pattern NAME = Pattern.compile("[A-Za-z0-9_]{0,100}");
    private static final Pattern LEVEL = Pattern.compile("[sc0-9.:,-]{0,200}");

    private final Selinux node;
    private final boolean wanted;

    /** @param wanted false where the operator wants no labels: then whatever pods ask for means nothing */
    public SelinuxLabels(Selinux node, boolean wanted) {
        this.node = node;
        this.wanted = wanted;
    }

    /** An id for a new pod whose categories none of {@code others} has. */
    public String newSandboxId(Collection<Sandbox> others) {
        String id = RandomId.next();
        if (isActive()) {
            while (has(others, categories(id))) {
                id = RandomId.next();
            }
        }
        return id;
    }

    private static boolean has(Collection<Sandbox> pods, String categories) {
        return pods.stream().anyMatch(pod -> categories(pod.id()).equals(categories));
    }

    /**
     * Those of a container; empty where it runs without: on a node without SELinux, and when it is privileged and asks for
     * none.
     *
     * @throws RuntimeFault FAILED_PRECONDITION when it asks for some and the node has no policy for containers,
     *     INVALID_ARGUMENT for a label that the policy does not know
     */
    public Optional<Labels> of(Sandbox sandbox, LinuxContainerSecurityContext security) {
        SELinuxOption own = security.getSelinuxOptions();
        if (security.getPrivileged() && isEmpty(own)) {
            return Optional.empty();
        }
        return labels(sandbox, merged(podOptions(sandbox), own));
    }

    /** Those of the pod itself: the second is that of its hosts file and its like. */
    public Optional<Labels> of(Sandbox sandbox) {
        return labels(sandbox, podOptions(sandbox));
    }

    private boolean isActive() {
        return wanted && node.isEnabled();
    }

    private Optional<Labels> labels(Sandbox sandbox, SELinuxOption options) {
        if (!isActive()) {
            return Optional.empty();
        }
        Optional<String> process = node.ofContainers(Selinux.Kind.PROCESS);
        Optional<String> file = node.ofContainers(Selinux.Kind.FILE);
        if (process.isEmpty() || file.isEmpty()) {
            if (isEmpty(options)) {
                return Optional.empty();
            }
            throw RuntimeFault.precondition("use SELinux label " + shown(options) + ": this node's SELinux policy has no labels"
                    + " for containers: install its container policy, or set runtime.enable_selinux = false");
        }
        check(options);
        Labels labels = new Labels(filled(process.get(), options, options.getType(), sandbox.id()),
                filled(file.get(), options, "", sandbox.id()));
        if (!isEmpty(options)) {
            requireKnown(labels.process());
            requireKnown(labels.file());
        }
        return Optional.of(labels);
    }

    private void requireKnown(String label) {
        if (!node.knows(label)) {
            throw RuntimeFault.invalid("use SELinux label " + label + ": the policy of this node does not know it");
        }
    }

    // user:role:type or user:role:type:level; the role of files is always the policy's.
    private static String filled(String policys, SELinuxOption options, String type, String sandboxId) {
        String[] parts = policys.split(":", 4);
        if (parts.length < 3) {
            throw RuntimeFault.precondition("use SELinux label " + policys + " of this node's policy for containers: it is not"
                    + " user:role:type:level");
        }
        boolean ofProcess = !parts[1].equals("object_r");
        String label = either(options.getUser(), parts[0]) + ":" + (ofProcess ? either(options.getRole(), parts[1]) : parts[1])
                + ":" + either(type, parts[2]);
        if (parts.length == 3) {
            return label;
        }
        return label + ":" + either(options.getLevel(), parts[3].split(":")[0] + ":" + categories(sandboxId));
    }

    /** Two of the 1024 categories, the lower first: 523,776 pairs, told by the pod's random id. */
    private static String categories(String sandboxId) {
        int pair = Integer.parseUnsignedInt(sandboxId.substring(0, 8), 16);
        int first = Integer.remainderUnsigned(pair, CATEGORIES);
        int second = Integer.remainderUnsigned(Integer.divideUnsigned(pair, CATEGORIES), CATEGORIES - 1);
        second += second >= first ? 1 : 0;
        return "c" + Math.min(first, second) + ",c" + Math.max(first, second);
    }

    private static SELinuxOption podOptions(Sandbox sandbox) {
        return sandbox.config().getLinux().getSecurityContext().getSelinuxOptions();
    }

    private static SELinuxOption merged(SELinuxOption pods, SELinuxOption own) {
        return SELinuxOption.newBuilder().setUser(either(own.getUser(), pods.getUser())).setRole(either(own.getRole(), pods.getRole()))
                .setType(either(own.getType(), pods.getType())).setLevel(either(own.getLevel(), pods.getLevel())).build();
    }

    // The label becomes an option of a mount.
    private static void check(SELinuxOption options) {
        if (!NAME.matcher(options.getUser()).matches() || !NAME.matcher(options.getRole()).matches()
                || !NAME.matcher(options.getType()).matches() || !LEVEL.matcher(options.getLevel()).matches()) {
            throw RuntimeFault.invalid("use SELinux label " + shown(options).replaceAll("[^\\x20-\\x7e]", "?")
                    + ": user, role and type have letters, digits and underscores, a level is like s0:c1,c2");
        }
    }

    private static boolean isEmpty(SELinuxOption options) {
        return options.getUser().isEmpty() && options.getRole().isEmpty() && options.getType().isEmpty()
                && options.getLevel().isEmpty();
    }

    private static String either(String wanted, String otherwise) {
        return wanted.isEmpty() ? otherwise : wanted;
    }

    private static String shown(SELinuxOption options) {
        return "\"" + options.getUser() + ":" + options.getRole() + ":" + options.getType() + ":" + options.getLevel() + "\"";
    }
}
