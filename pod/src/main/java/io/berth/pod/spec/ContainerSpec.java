package io.berth.pod.spec;

import io.berth.cri.v1.ContainerConfig;
import io.berth.cri.v1.IDMapping;
import io.berth.cri.v1.NamespaceMode;
import io.berth.linux.AppArmor;
import io.berth.linux.Cgroups;
import io.berth.linux.Namespace;
import io.berth.pod.blockio.BlockioClasses;
import io.berth.pod.cdi.CdiDevices;
import io.berth.pod.ocihook.OciHooks;
import io.berth.pod.rdt.RdtClasses;
import io.berth.pod.record.Sandbox;
import io.berth.runtime.SeccompDefault;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/** Puts the parts of a container's specification together. Thread-safe. */
public final class ContainerSpec {

    /** The newest version that every supported runtime accepts (crun 1.8 refuses 1.2). */
    static final String OCI_VERSION = "1.0.2";

    private final ProcessSpec process;
    private final MountsSpec mounts;
    private final DevicesSpec devices;
    private final ResourcesSpec resources;
    private final SecuritySpec security;
    private final AppArmorSpec appArmor;
    private final CdiDevices cdi;
    private final BlockioClasses blockio;
    private final RdtClasses rdt;
    private final OciHooks hooks;
    private final Cgroups cgroups;

    public ContainerSpec(Cgroups cgroups, SeccompDefault seccomp, SpecSettings settings) {
        this.cgroups = cgroups;
        this.process = new ProcessSpec(settings);
        this.mounts = new MountsSpec();
        this.devices = new DevicesSpec();
        this.resources = new ResourcesSpec(cgroups);
        this.security = new SecuritySpec(seccomp, settings);
        this.appArmor = new AppArmorSpec(AppArmor.ofThisMachine());
        this.cdi = new CdiDevices(settings.cdiDirectories());
        this.blockio = settings.blockio();
        this.rdt = settings.rdt();
        this.hooks = settings.hooks();
    }

    /** The whole {@code config.json}. */
    public ObjectNode write(SpecRequest request) {
        ObjectNode spec = JsonNodeFactory.instance.objectNode().put("ociVersion", OCI_VERSION);
        ObjectNode program = process.write(request);
        appArmor.profile(request.security()).ifPresent(profile -> program.put("apparmorProfile", profile));
        request.selinux().ifPresent(labels -> program.put("selinuxLabel", labels.process()));
        spec.set("process", program);
        spec.putObject("root").put("path", request.rootfs().toString()).put("readonly", !request.rootfsWritable());
        String propagation = mounts.write(request, spec.putArray("mounts"));
        ObjectNode annotations = spec.putObject("annotations");
        // Before Berth's own, which they must not take the place of.
        var passed = request.handler().annotations();
        passed.ofPod(request.sandbox().config().getAnnotationsMap()).forEach(annotations::put);
        passed.ofContainer(request.config().getAnnotationsMap()).forEach(annotations::put);
        if (request.runtime().joinsSandbox()) {
            annotations.put("io.kubernetes.cri.container-type", "container");
        } else {
            // Alone on its kernel, it is what that takes the pod's name from.
            spec.put("hostname", SandboxSpec.hostname(request.sandbox(), request.podFiles()));
        }
        SandboxSpec.pod(annotations, request.sandbox());
        annotations.put("io.kubernetes.cri.container-name", request.config().getMetadata().getName());
        ObjectNode linux = spec.putObject("linux");
        linux.put("cgroupsPath", request.container().cgroup());
        linux.put("rootfsPropagation", propagation);
        request.selinux().ifPresent(labels -> linux.put("mountLabel", labels.file()));
        namespaces(request, linux.putArray("namespaces"));
        idMappings(request.sandbox(), linux);
        ObjectNode limits = resources.write(request.container().resources());
        linux.set("resources", limits);
        devices.write(request, linux.putArray("devices"), limits.putArray("devices"));
        classes(request, linux, limits);
        security.write(request, linux);
        request.handler().baseSpec().ifPresent(base -> ApplyBaseSpec.to(spec, base, request.privileged()));
        hooks.inject(annotations(request), request.config().getMountsList().stream()
                .anyMatch(mount -> !mount.getHostPath().isEmpty()), spec);
        // Last, so that nothing above takes a vendor's edit back.
        cdi.inject(request.config(), spec);
        return spec;
    }

    private void classes(SpecRequest request, ObjectNode linux, ObjectNode limits) {
        Map<String, String> ofPod = request.sandbox().config().getAnnotationsMap();
        Map<String, String> own = request.config().getAnnotationsMap();
        String name = request.config().getMetadata().getName();
        blockio.limits(ofPod, own, name).ifPresent(classes -> limits.set("blockIO", classes));
        rdt.classId(ofPod, own, name).ifPresent(id -> linux.putObject("intelRdt").put("closID", id));
    }

    /** Adds CDI devices, by their full names, to a specification that is written already. */
    public void injectDevices(List<String> names, ObjectNode spec) {
        ContainerConfig.Builder wanted = ContainerConfig.newBuilder();
        names.forEach(name -> wanted.addCDIDevicesBuilder().setName(name));
        cdi.inject(wanted.build(), spec);
    }

    /** The {@code blockIO} object of a class that the operator has defined. */
    public ObjectNode blockioClass(String name) {
        return blockio.limits(name);
    }

    /** The OOM score that a container can get for one that is wanted. */
    public long oomScore(long wanted) {
        return process.oomScore(wanted);
    }

    // What the container says holds for it against what its pod says for all.
    private static Map<String, String> annotations(SpecRequest request) {
        Map<String, String> all = new HashMap<>(request.sandbox().config().getAnnotationsMap());
        all.putAll(request.config().getAnnotationsMap());
        return all;
    }

    private void namespaces(SpecRequest request, ArrayNode namespaces) {
        namespaces.addObject().put("type", "mount");
        // Version 1 shows every controller below its own root; a new namespace would hide what the mounts refer to.
        if (cgroups.isUnified() && !request.privileged()) {
            namespaces.addObject().put("type", "cgroup");
        }
        request.namespaces().forEach((kind, path) -> {
            if (kind != Namespace.PID) {
                namespaces.addObject().put("type", specName(kind)).put("path", path.toString());
            }
        });
        NamespaceMode pid = request.security().getNamespaceOptions().getPid();
        switch (pid) {
            case CONTAINER -> namespaces.addObject().put("type", "pid");
            case POD, TARGET -> namespaces.addObject().put("type", "pid")
                    .put("path", request.namespaces().get(Namespace.PID).toString());
            case NODE, UNRECOGNIZED -> { }
        }
    }

    // The namespace has its maps already; runtimes want to know them nevertheless, for the owners of what they make.
    static void idMappings(Sandbox sandbox, ObjectNode linux) {
        if (sandbox.ownsUserNamespace()) {
            var users = sandbox.namespaces().getUsernsOptions();
            mappings(linux.putArray("uidMappings"), users.getUidsList());
            mappings(linux.putArray("gidMappings"), users.getGidsList());
        }
    }

    private static void mappings(ArrayNode array, List<IDMapping> mappings) {
        mappings.forEach(each -> array.addObject().put("containerID", Integer.toUnsignedLong(each.getContainerId()))
                .put("hostID", Integer.toUnsignedLong(each.getHostId()))
                .put("size", Integer.toUnsignedLong(each.getLength())));
    }

    static String specName(Namespace kind) {
        return switch (kind) {
            case NET -> "network";
            case MNT -> "mount";
            case IPC, UTS, PID, CGROUP, USER -> kind.procName();
        };
    }
}
