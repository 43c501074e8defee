package io.berth.server.nri;

import io.berth.cri.v1.SecurityProfile;
import io.berth.nri.oci.DescribeSpec;
import io.berth.nri.v1.Container;
import io.berth.nri.v1.ContainerState;
import io.berth.nri.v1.LinuxPodSandbox;
import io.berth.nri.v1.PodSandbox;
import io.berth.nri.v1.SecurityProfile.ProfileType;
import io.berth.pod.Node;
import io.berth.pod.record.ProcessIdentity;
import io.berth.pod.record.Sandbox;
import io.berth.pod.sandbox.SandboxNamespaces;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.JsonNodeFactory;

/** Sandboxes and containers as plugins see them. */
record NriMessages(Node node) {

    private static final Logger LOG = LoggerFactory.getLogger(NriMessages.class);

    PodSandbox pod(Sandbox sandbox) {
        var config = sandbox.config();
        var metadata = config.getMetadata();
        LinuxPodSandbox.Builder linux = LinuxPodSandbox.newBuilder()
                .setPodOverhead(NriResources.of(config.getLinux().getOverhead()))
                .setPodResources(NriResources.of(config.getLinux().getResources()))
                .setCgroupParent(config.getLinux().getCgroupParent()).setCgroupsPath(sandbox.cgroup());
        new SandboxNamespaces(node).pins(sandbox).forEach((kind, path) ->
                linux.addNamespacesBuilder().setType(kind == io.berth.linux.Namespace.NET ? "network" : kind.procName())
                        .setPath(path.toString()));
        return PodSandbox.newBuilder().setId(sandbox.id()).setName(metadata.getName()).setUid(metadata.getUid())
                .setNamespace(metadata.getNamespace()).putAllLabels(config.getLabelsMap())
                .putAllAnnotations(config.getAnnotationsMap()).setRuntimeHandler(sandbox.handler()).setLinux(linux)
                .setPid(sandbox.infra().map(ProcessIdentity::pid).orElse(0)).addAllIps(sandbox.addresses()).build();
    }

    /** The sandbox of a container; only its id where it is gone. */
    PodSandbox podOf(io.berth.pod.record.Container container) {
        return node.inventory().findSandbox(container.sandboxId()).map(this::pod)
                .orElseGet(() -> PodSandbox.newBuilder().setId(container.sandboxId()).build());
    }

    Container container(io.berth.pod.record.Container container) {
        return container(container, spec(container));
    }

    Container container(io.berth.pod.record.Container container, JsonNode spec) {
        var config = container.config();
        Container.Builder built = Container.newBuilder().setId(container.id()).setPodSandboxId(container.sandboxId())
                .setName(config.getMetadata().getName()).setState(state(container)).putAllLabels(config.getLabelsMap());
        new DescribeSpec(spec).into(built);
        built.putAllAnnotations(config.getAnnotationsMap());
        config.getCDIDevicesList().forEach(device -> built.addCDIDevicesBuilder().setName(device.getName()));
        var security = config.getLinux().getSecurityContext();
        if (security.hasSeccomp()) {
            built.getLinuxBuilder().getSeccompProfileBuilder().setProfileType(profile(security.getSeccomp().getProfileType()))
                    .setLocalhostRef(security.getSeccomp().getLocalhostRef());
        }
        return built.setPid(container.isLive() ? container.init().map(ProcessIdentity::pid).orElse(0) : 0)
                .setCreatedAt(container.createdAtNanos()).setStartedAt(container.startedAtNanos())
                .setFinishedAt(container.exit().atNanos()).setExitCode(container.exit().code())
                .setStatusReason(container.exit().reason()).setStatusMessage(container.exit().message()).build();
    }

    private static ProfileType profile(SecurityProfile.ProfileType type) {
        return switch (type) {
            case RuntimeDefault -> ProfileType.RUNTIME_DEFAULT;
            case Localhost -> ProfileType.LOCALHOST;
            case Unconfined, UNRECOGNIZED -> ProfileType.UNCONFINED;
        };
    }

    private static ContainerState state(io.berth.pod.record.Container container) {
        return switch (container.phase()) {
            case CREATING -> ContainerState.CONTAINER_UNKNOWN;
            case CREATED -> ContainerState.CONTAINER_CREATED;
            case RUNNING -> ContainerState.CONTAINER_RUNNING;
            case EXITED, REMOVING -> ContainerState.CONTAINER_STOPPED;
        };
    }

    private JsonNode spec(io.berth.pod.record.Container container) {
        Path file = node.directories().bundle(container.id()).resolve("config.json");
        try {
            return Files.exists(file) ? JsonMapper.shared().readTree(Files.readAllBytes(file))
                    : JsonNodeFactory.instance.objectNode();
        } catch (IOException | JacksonException e) {
            // It may be on its way out; one container must not keep plugins from hearing of it and of the others.
            LOG.atWarn().addKeyValue("container", container.id()).setCause(e).log("specification cannot be read for plugins");
            return JsonNodeFactory.instance.objectNode();
        }
    }
}
