package io.berth.pod.container;

import io.berth.base.RuntimeFault;
import io.berth.cri.v1.Mount;
import io.berth.cri.v1.MountPropagation;
import io.berth.image.Image;
import io.berth.image.UnpackImage;
import io.berth.linux.Errno;
import io.berth.linux.Fd;
import io.berth.linux.Mounts;
import io.berth.linux.RootedPath;
import io.berth.linux.SystemCallFault;
import io.berth.pod.Node;
import io.berth.pod.record.Container;
import io.berth.snapshot.MappedOwners;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** What a container has mounted from the host and from images, made ready before its specification is written. */
final class ContainerVolumes {

    private final Node node;

    ContainerVolumes(Node node) {
        this.node = node;
    }

    /**
     * The CRI's mounts with real host paths. Image volumes are mounted below the bundle, which takes them down again.
     *
     * @param label the SELinux label of the container's files; volumes that ask for it get it
     */
    List<Mount> prepare(Container container, Optional<MappedOwners> owners, Optional<String> label) {
        List<Mount> prepared = new ArrayList<>();
        for (Mount mount : container.config().getMountsList()) {
            if (mount.getContainerPath().isEmpty()) {
                throw RuntimeFault.invalid("mount " + mount.getHostPath() + ": the request names no path in the container");
            }
            validate(mount);
            if (isImage(mount)) {
                prepared.add(imageVolume(container, mount, target(container, prepared.size()), owners, label));
            } else {
                Path source = hostPath(mount);
                if (mount.getSelinuxRelabel()) {
                    label.ifPresent(wanted -> new RelabelVolume(node.directories()).relabel(source, wanted));
                }
                boolean mapped = mount.getUidMappingsCount() > 0 || mount.getGidMappingsCount() > 0;
                prepared.add(mount.toBuilder().setHostPath((mapped
                        ? mapped(source, mount, target(container, prepared.size()), owners) : source).toString()).build());
            }
        }
        return prepared;
    }

    private static boolean isImage(Mount mount) {
        return mount.hasImage() && !mount.getImage().getImage().isEmpty();
    }

    private static void validate(Mount mount) {
        String what = "mount " + (isImage(mount) ? "image " + mount.getImage().getImage() : mount.getHostPath()) + " at "
                + mount.getContainerPath();
        boolean apart = mount.getPropagation() == MountPropagation.PROPAGATION_PRIVATE;
        if (mount.getRecursiveReadOnly() && (!mount.getReadonly() || !apart)) {
            throw RuntimeFault.invalid(what + ": recursive read-only needs readonly and private propagation");
        }
        if (isImage(mount) && (!mount.getReadonly() || !apart || !mount.getHostPath().isEmpty())) {
            throw RuntimeFault.invalid(what + ": an image volume is read-only, private and has no host path");
        }
    }

    private Path target(Container container, int index) {
        Path target = node.directories().bundle(container.id()).resolve("volumes").resolve(Integer.toString(index));
        try {
            return Files.createDirectories(target);
        } catch (IOException e) {
            throw RuntimeFault.internal("make " + target + ": " + RuntimeFault.reason(e), e);
        }
    }

    // Done here and not by the runtime: so it works with every runtime.
    private static Path mapped(Path source, Mount mount, Path target, Optional<MappedOwners> owners) {
        MappedOwners pod = owners.orElseThrow(() -> RuntimeFault.invalid("mount " + mount.getHostPath() + " at "
                + mount.getContainerPath() + ": it has id mappings, and the pod has no user namespace"));
        if (mount.getUidMappings(0).getHostId() != pod.rootUid() || mount.getGidMappings(0).getHostId() != pod.rootGid()) {
            throw RuntimeFault.invalid("mount " + mount.getHostPath() + " at " + mount.getContainerPath()
                    + ": its id mappings are not those of the pod");
        }
        try {
            if (!Files.isDirectory(source)) {
                Files.delete(target);
                Files.createFile(target);
            }
        } catch (IOException e) {
            throw RuntimeFault.internal("make " + target + ": " + RuntimeFault.reason(e), e);
        }
        Mounts.bindMapped(source, target, pod.userNamespace());
        return target;
    }

    private Mount imageVolume(Container container, Mount mount, Path target, Optional<MappedOwners> owners,
            Optional<String> label) {
        String name = mount.getImage().getImage();
        Image image = node.images().find(name).orElseThrow(() -> RuntimeFault.notFound("mount image " + name + " at "
                + mount.getContainerPath() + ": it is not on this node: pull it first"));
        new UnpackImage(node.images(), node.runtime(container.handler()).handler().snapshotter()).ensure(image);
        node.snapshotter(container.handler()).mountReadOnly(container.id() + "-volume-" + target.getFileName(), image.chainIds(),
                target, owners, label);
        Path source = mount.getImageSubPath().isEmpty() ? target : within(target, mount);
        return mount.toBuilder().setHostPath(source.toString())
                .setImage(mount.getImage().toBuilder().setImageRef(image.id().toString())).build();
    }

    // The image may hold links that point out of itself: they are followed inside it.
    private static Path within(Path volume, Mount mount) {
        String subPath = mount.getImageSubPath();
        if (subPath.startsWith("/") || List.of(subPath.split("/")).contains("..")) {
            throw RuntimeFault.invalid("mount path " + subPath + " of image " + mount.getImage().getImage()
                    + ": it must be relative and without \"..\"");
        }
        try (Fd found = RootedPath.openHandle(volume, subPath)) {
            return found.procPath().toRealPath();
        } catch (SystemCallFault fault) {
            if (fault.errno() == Errno.ENOENT || fault.errno() == Errno.ENOTDIR) {
                throw RuntimeFault.invalid("mount path " + subPath + " of image " + mount.getImage().getImage()
                        + ": the image has no such path");
            }
            throw fault;
        } catch (IOException e) {
            throw RuntimeFault.internal("find " + subPath + " in " + volume + ": " + RuntimeFault.reason(e), e);
        }
    }

    private static Path hostPath(Mount mount) {
        if (mount.getHostPath().isEmpty()) {
            throw RuntimeFault.invalid("mount at " + mount.getContainerPath() + ": the request names no host path");
        }
        Path path = Path.of(mount.getHostPath());
        try {
            // Links are followed here: the runtime would follow them in the container's view of the host.
            return path.toRealPath();
        } catch (IOException absent) {
            try {
                return Files.createDirectories(path).toRealPath();
            } catch (IOException e) {
                throw RuntimeFault.invalid("mount " + path + ": it does not exist and cannot be made: "
                        + RuntimeFault.reason(e));
            }
        }
    }
}
