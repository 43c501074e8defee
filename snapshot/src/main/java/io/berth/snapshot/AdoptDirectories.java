package io.berth.snapshot;

import io.berth.linux.Errno;
import io.berth.linux.Fd;
import io.berth.linux.Inodes;
import io.berth.linux.RootedPath;
import io.berth.linux.SystemCallFault;
import java.util.List;
import java.util.Optional;

/**
 * Makes the directories that a layer's archive has left out look as they do in the layers below: overlayfs shows the
 * attributes of the topmost one. Done when the layer is whole and those below are there, so that layers can be unpacked in
 * any order. Used by one thread.
 */
final class AdoptDirectories {

    private final Fd root;
    private final List<Fd> lowers;

    /**
     * @param root the layer; stays the caller's
     * @param lowers the layers below, the nearest first; stay the caller's
     */
    AdoptDirectories(Fd root, List<Fd> lowers) {
        this.root = root;
        this.lowers = lowers;
    }

    /** The layer's root directory; 0755 and root's own where no layer is below. */
    void root() {
        Optional<Inodes.Status> below = lower(new byte[0]);
        below.ifPresent(like -> Inodes.changeOwner(root, like.uid(), like.gid()));
        Inodes.changeMode(root, below.map(Inodes.Status::mode).orElse(0755));
    }

    void directory(byte[] path) {
        Optional<Inodes.Status> below = lower(path);
        if (below.isEmpty()) {
            return;
        }
        try (Fd made = RootedPath.openDirectory(root, path, RootedPath.Escape.IS_REFUSED)) {
            Inodes.changeOwner(made, below.get().uid(), below.get().gid());
            Inodes.changeMode(made, below.get().mode());
            Inodes.setTimes(made, below.get().modifiedSeconds(), below.get().modifiedNanos());
        } catch (SystemCallFault replaced) {
            // A later entry has put something else there.
            if (replaced.errno() != Errno.ENOENT && replaced.errno() != Errno.ENOTDIR) {
                throw replaced;
            }
        }
    }

    private Optional<Inodes.Status> lower(byte[] path) {
        for (Fd lower : lowers) {
            try (Fd found = RootedPath.openDirectory(lower, path, RootedPath.Escape.STAYS_IN_ROOT)) {
                return Optional.of(Inodes.status(found));
            } catch (SystemCallFault absent) {
                if (absent.errno() != Errno.ENOENT) {
                    // Something else is there, a whiteout for one: what is below it is hidden.
                    return Optional.empty();
                }
            }
        }
        return Optional.empty();
    }
}
