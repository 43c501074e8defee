package io.berth.runtime;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * An OCI runtime that pods can ask for by the name of a RuntimeClass handler.
 *
 * @param name the handler's name
 * @param path the runtime's program
 * @param systemdCgroup whether it is to make cgroups through systemd
 * @param privileged what a privileged container gets of the node
 * @param arguments put before the runtime's verb
 * @param annotations which of them it is told
 * @param baseSpec what its specifications start from; empty for Berth's own beginnings
 * @param snapshotter where its containers' root filesystems come from; empty for the node's usual one
 */
public record RuntimeHandler(String name, Path path, boolean systemdCgroup, Privileged privileged,
        List<String> arguments, PassedAnnotations annotations, Optional<BaseSpec> baseSpec, String snapshotter) {

    /** The devices of a privileged container. */
    public enum Privileged {
        /** All of the node, and it may make any other. */
        HOST_DEVICES,
        /** None but what every container has, yet it may make and use any. */
        ANY_ALLOWED,
        /** None but what every container has, and it may use no other. */
        NONE
    }

    /** A handler without anything special. */
    public static RuntimeHandler plain(String name, Path path) {
        return new RuntimeHandler(name, path, false, Privileged.HOST_DEVICES, List.of(), PassedAnnotations.NONE,
                Optional.empty(), "");
    }
}
