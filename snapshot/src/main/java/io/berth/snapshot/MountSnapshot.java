package io.berth.snapshot;

import io.berth.base.RuntimeFault;
import io.berth.linux.MountOptions;
import io.berth.linux.Mounts;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Mounts what a snapshotter asks for, all of it or nothing. File systems that need a program of their own to be mounted are
 * refused. Used once, by one platform thread.
 */
final class MountSnapshot {

    private static final List<String> OVERLAY_PLACES = List.of("lowerdir=", "upperdir=", "workdir=");

    private final List<SnapshotMount> mounts;
    private final Optional<String> label;

    /** @param label the SELinux label that all files are seen with */
    MountSnapshot(List<SnapshotMount> mounts, Optional<String> label) {
        this.mounts = mounts;
        this.label = label;
    }

    /** @throws RuntimeFault UNSUPPORTED for a mount of a kind that is not known here, and what the kernel says */
    void at(Path place) {
        if (mounts.isEmpty()) {
            throw RuntimeFault.unsupported("mount a snapshot at " + place + ": its snapshotter names no mounts");
        }
        List<Path> done = new ArrayList<>();
        try {
            for (SnapshotMount mount : mounts) {
                Path target = below(place, mount.target());
                one(mount, target);
                done.add(target);
            }
        } catch (RuntimeException failure) {
            done.reversed().forEach(Mounts::unmount);
            throw failure;
        }
    }

    private static Path below(Path place, String target) {
        Path found = place.resolve(target.replaceFirst("^/+", "")).normalize();
        if (!found.startsWith(place)) {
            throw RuntimeFault.unsupported("mount a snapshot at " + place + ": its snapshotter asks for " + target);
        }
        return found;
    }

    private void one(SnapshotMount mount, Path target) {
        MountOptions options = MountOptions.parse(mount.options());
        if (mount.isOverlay()) {
            overlay(mount, target, options);
        } else if ((options.flags() & MountOptions.BIND) != 0 || mount.type().equals("bind")) {
            bind(mount, target, options);
        } else if (mount.type().contains(".") || mount.type().contains("/") || options.data().contains("loop")) {
            throw RuntimeFault.unsupported("mount a snapshot at " + target + ": its snapshotter asks for the type "
                    + mount.type() + " with " + String.join(",", mount.options()) + ", which the kernel alone cannot mount");
        } else {
            List<String> data = new ArrayList<>(options.data());
            label.map(Mounts::labelOption).ifPresent(data::add);
            Mounts.mount(mount.source(), target, mount.type(), options.flags(), String.join(",", data));
        }
    }

    private void overlay(SnapshotMount mount, Path target, MountOptions options) {
        List<String> extra = new ArrayList<>(options.data().stream()
                .filter(option -> OVERLAY_PLACES.stream().noneMatch(option::startsWith)).toList());
        label.map(Mounts::labelOption).ifPresent(extra::add);
        if (mount.upper().isPresent() && mount.work().isPresent()) {
            Mounts.overlay(mount.lowers(), mount.upper().get(), mount.work().get(), target, extra);
        } else {
            Mounts.overlayReadOnly(mount.lowers(), target, extra);
        }
    }

    private void bind(SnapshotMount mount, Path target, MountOptions options) {
        if (label.isPresent()) {
            throw RuntimeFault.unsupported("mount a snapshot at " + target + ": its snapshotter gives a directory as it is,"
                    + " which cannot be seen with an SELinux label of the container's: use another snapshotter");
        }
        Mounts.mount(mount.source(), target, "", MountOptions.BIND | options.flags() & MountOptions.RECURSIVE, "");
        if (options.isReadOnly()) {
            try {
                Mounts.remountReadOnly(target);
            } catch (RuntimeException failure) {
                Mounts.unmount(target);
                throw failure;
            }
        }
    }
}
