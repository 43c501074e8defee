package io.berth.pod.spec;

import io.berth.base.RuntimeFault;
import io.berth.cri.v1.LinuxContainerResources;
import io.berth.linux.Namespace;
import io.berth.pod.record.Sandbox;
import io.berth.runtime.ContainerRuntime;
import io.berth.runtime.RuntimeHandler;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/**
 * The specification of the container that comes before a pod's own. What it does is the runtime's to say; a shim reads from
 * here which pod it is, which network namespace it has, and how large a virtual machine has to be. The annotations are
 * those that containerd gives. Source: OCI runtime-spec, containerd's docs of runtime v2.
 */
public final class SandboxSpec {

    private static final String ANNOTATION = "io.kubernetes.cri.";
    private static final int LEAST_CPU_SHARES = 2;

    private SandboxSpec() {}

    /**
     * The whole {@code config.json} but for the program.
     *
     * @param podFiles the sandbox's own files, by their path in containers
     * @param labels of SELinux
     * @param runtime the pod's
     */
    public static ObjectNode write(Sandbox sandbox, String cgroup, Path rootfs, Map<Namespace, Path> pins,
            Map<String, Path> podFiles, Optional<SelinuxLabels.Labels> labels, ContainerRuntime runtime) {
        RuntimeHandler handler = runtime.handler();
        ObjectNode spec = JsonNodeFactory.instance.objectNode().put("ociVersion", ContainerSpec.OCI_VERSION);
        ObjectNode process = spec.putObject("process").put("terminal", false).put("cwd", "/").put("noNewPrivileges", true);
        process.putObject("user").put("uid", 0).put("gid", 0);
        process.putArray("env");
        spec.putObject("root").put("path", rootfs.toString()).put("readonly", true);
        if (runtime.hasOwnKernel()) {
            // It does not take the name from the namespace that the pod has.
            spec.put("hostname", hostname(sandbox, podFiles));
        }
        mounts(spec.putArray("mounts"), podFiles);
        ObjectNode annotations = spec.putObject("annotations");
        handler.annotations().ofPod(sandbox.config().getAnnotationsMap()).forEach(annotations::put);
        annotate(annotations, sandbox);
        ObjectNode linux = spec.putObject("linux").put("cgroupsPath", cgroup);
        ObjectNode resources = linux.putObject("resources");
        // It does nothing, unless the kernel that all containers of the pod run on is in its group.
        if (!runtime.hasOwnKernel()) {
            resources.putObject("cpu").put("shares", LEAST_CPU_SHARES);
        }
        ArrayNode namespaces = linux.putArray("namespaces");
        namespaces.addObject().put("type", "mount");
        if (!pins.containsKey(Namespace.PID)) {
            namespaces.addObject().put("type", "pid");
        }
        pins.forEach((kind, path) ->
                namespaces.addObject().put("type", ContainerSpec.specName(kind)).put("path", path.toString()));
        ContainerSpec.idMappings(sandbox, linux);
        labels.ifPresent(each -> {
            process.put("selinuxLabel", each.process());
            linux.put("mountLabel", each.file());
        });
        handler.baseSpec().ifPresent(base -> ApplyBaseSpec.to(spec, base, false));
        return spec;
    }

    /** The name that a pod goes by, which is the node's own for one in the node's namespace of names. */
    static String hostname(Sandbox sandbox, Map<String, Path> podFiles) {
        String own = sandbox.config().getHostname();
        try {
            return own.isEmpty() ? Files.readString(podFiles.get("/etc/hostname")).strip() : own;
        } catch (IOException e) {
            throw RuntimeFault.internal("read the hostname of sandbox " + sandbox.id() + ": " + RuntimeFault.reason(e), e);
        }
    }

    private static void mounts(ArrayNode mounts, Map<String, Path> podFiles) {
        mount(mounts, "/proc", "proc", "proc", "nosuid", "noexec", "nodev");
        mount(mounts, "/dev", "tmpfs", "tmpfs", "nosuid", "strictatime", "mode=755", "size=65536k");
        // For the guest of a virtual machine: names and shared memory of the pod.
        for (String path : List.of("/dev/shm", "/etc/resolv.conf")) {
            if (podFiles.containsKey(path)) {
                mount(mounts, path, "bind", podFiles.get(path).toString(), "rbind", "nosuid", "nodev", "noexec");
            }
        }
    }

    private static void mount(ArrayNode mounts, String target, String type, String source, String... options) {
        ObjectNode mount = mounts.addObject().put("destination", target).put("type", type).put("source", source);
        List.of(options).forEach(mount.putArray("options")::add);
    }

    private static void annotate(ObjectNode annotations, Sandbox sandbox) {
        annotations.put(ANNOTATION + "container-type", "sandbox");
        annotations.put(ANNOTATION + "sandbox-log-directory", sandbox.config().getLogDirectory());
        pod(annotations, sandbox);
        LinuxContainerResources size = sandbox.config().getLinux().getResources();
        annotations.put(ANNOTATION + "sandbox-cpu-period", Long.toString(size.getCpuPeriod()));
        annotations.put(ANNOTATION + "sandbox-cpu-quota", Long.toString(size.getCpuQuota()));
        annotations.put(ANNOTATION + "sandbox-cpu-shares", Long.toString(size.getCpuShares()));
        annotations.put(ANNOTATION + "sandbox-memory", Long.toString(size.getMemoryLimitInBytes()));
    }

    /** Which pod a container is of. */
    static void pod(ObjectNode annotations, Sandbox sandbox) {
        annotations.put(ANNOTATION + "sandbox-id", sandbox.id());
        annotations.put(ANNOTATION + "sandbox-name", sandbox.config().getMetadata().getName());
        annotations.put(ANNOTATION + "sandbox-namespace", sandbox.config().getMetadata().getNamespace());
        annotations.put(ANNOTATION + "sandbox-uid", sandbox.config().getMetadata().getUid());
    }
}
