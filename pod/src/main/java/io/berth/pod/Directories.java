package io.berth.pod;

import java.nio.file.Path;

/**
 * Where an instance of Berth keeps things.
 *
 * @param root what survives a reboot: images, snapshots, records
 * @param state what ends with the kernel: namespaces, bundles, exit files
 */
public record Directories(Path root, Path state) {

    public Path records() {
        return root.resolve("records");
    }

    /** Work of checkpoints under way, removed at start. Below root: memory does not belong on a tmpfs a second time. */
    public Path checkpoints() {
        return root.resolve("checkpoints");
    }

    public Path checkpoint(String id) {
        return checkpoints().resolve(id);
    }

    /**
     * The files of checkpoints that containers were made from, by their id, until they are restored or removed. Below root
     * for the same reason.
     */
    public Path restores() {
        return root.resolve("restores");
    }

    public Path restore(String id) {
        return restores().resolve(id);
    }

    /** Exit files of conmon, named by container id. */
    public Path exits() {
        return state.resolve("exits");
    }

    /** The state of an OCI runtime for this instance. */
    public Path runtimeState(String handler) {
        return state.resolve("oci").resolve(handler);
    }

    /** Where shims tell events. */
    public Path shimEvents() {
        return state.resolve("shims.sock");
    }

    public Path sandboxes() {
        return state.resolve("sandboxes");
    }

    public Path sandbox(String id) {
        return sandboxes().resolve(id);
    }

    public Path containers() {
        return state.resolve("containers");
    }

    /** The OCI bundle of a container; its name is short because sockets are made in it. */
    public Path bundle(String id) {
        return containers().resolve(id);
    }

    /** Where a container's root file system is mounted. */
    public Path rootfs(String id) {
        return bundle(id).resolve("rootfs");
    }
}
