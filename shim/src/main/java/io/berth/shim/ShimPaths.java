package io.berth.shim;

import io.berth.base.RuntimeFault;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Where an instance of Berth keeps what belongs to its shims.
 *
 * @param bundles the parent of bundles; shims look for the pod's beside a container's
 * @param exits where exit files go
 * @param runcRoot where a shim for runc lets that keep its state
 * @param socket where shims tell events; it also is what they tell instances apart by
 */
public record ShimPaths(Path bundles, Path exits, Path runcRoot, Path socket) {

    /** The namespace of containerd's that shims believe to be in: some look for the kubelet's by this name. */
    static final String NAMESPACE = "k8s.io";

    /** What runc keeps of containers. */
    public Path runcState() {
        return runcRoot.resolve(NAMESPACE);
    }

    /** Notes that the kernel killed a container for want of memory; nothing happens when there is none of that id. */
    void markOutOfMemory(String id) {
        try {
            if (Files.isRegularFile(bundle(id).resolve("config.json"))) {
                Files.write(bundle(id).resolve("oom"), new byte[0]);
            }
        } catch (IOException e) {
            throw RuntimeFault.internal("note that container " + id + " ran out of memory: " + RuntimeFault.reason(e), e);
        }
    }

    Path bundle(String id) {
        return bundles.resolve(id);
    }
}
