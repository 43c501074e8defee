package io.berth.pod;

import java.nio.file.Path;
import java.util.Optional;

/**
 * What the operator decides about pods.
 *
 * @param defaultHandler used where the CRI names none
 * @param defaultCgroup the parent of pods for which the client gives none, such as {@code /berth}
 * @param systemdCgroup whether cgroup names are systemd's slices
 * @param unprivilegedPorts let every process of a pod with its own network bind ports below 1024
 * @param unprivilegedPing let every process of such a pod send ICMP echo requests
 * @param shmBytes size of a pod's /dev/shm
 * @param checkpoints whether clients may write containers with their memory to archives, and make containers from those
 * @param checkpointImages whether an image may be such an archive: whoever can name one for a pod can name one of these then
 * @param sandboxPool how many sandboxes are kept ready ahead of requests
 * @param resolvConf the node's resolver configuration, for pods that bring none
 */
public record NodeSettings(String defaultHandler, String defaultCgroup, boolean systemdCgroup, boolean unprivilegedPorts,
        boolean unprivilegedPing, long shmBytes, boolean checkpoints, boolean checkpointImages,
        int sandboxPool, Optional<Path> resolvConf) {}
