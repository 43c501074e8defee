package io.berth.pod.container;

import io.berth.base.RuntimeFault;
import io.berth.cri.v1.Mount;
import io.berth.cri.v1.MountPropagation;
import io.berth.image.Image;
import io.berth.image.UnpackImage;
import io.berth.linux.Errno;
import io.berth.linux.Fd;
import io.berth.linux.RootedPath;
import io.berth.linux.SystemCallFault;
import io.berth.pod.Node;
import io.berth.pod.record.Container;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** What a container has mounted from the host and from images, made ready before its specification is written. */
final class ContainerVolumes {

    private final Node node;

    ContainerVolumes(Node node) {
        this.node = node;
    }

    /** The CRI's mounts with real host paths. Image volumes are mounted below the bundle, which takes them down again. */
    List<Mount> prepare(Container container) {
        List<Mount> prepared = new ArrayList<>();
        for (Mount mount : container.config().getMountsList()) {
            if (mount.getContainerPath().isEmpty()) {
                throw RuntimeFault.invalid("mount " + mount.getHostPath() + ": the request names no path in the container");
            }
            validate(mount);
            prepared.add(isImage(mount) ? imageVolume(container, mount, prepared.size())
                    : mount.toBuilder().setHostPath(hostPath(mount).toString()).build());
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
        if (mount.getUidMappingsCount() > 0 || mount.getGidMappingsCount() > 0) {
            throw RuntimeFault.unsupported(what + ": mounts with id mappings are not offered by this node");
        }
    }

    private Mount imageVolume(Container container, Mount mount, int index) {
        String name = mount.getImage().getImage();
        Image image = node.images().find(name).orElseThrow(() -> RuntimeFault.notFound("mount image " + name + " at "
                + mount.getContainerPath() + ": it is not on this node: pull it first"));
        Path target = node.directories().bundle(container.id()).resolve("volumes").resolve(Integer.toString(index));
        try {
            Files.createDirectories(target);
        } catch (IOException e) {
            throw RuntimeFault.internal("make " + target + ": " + RuntimeFault.reason(e), e);
        }
        new UnpackImage(node.images()).ensure(image);
        node.snapshots().mountReadOnly(container.id() + "-volume-" + index, image.chainIds(), target);
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
