package io.berth.snapshot;

import java.nio.file.Path;

/**
 * Who owns the files of a root filesystem in a user namespace.
 *
 * @param userNamespace its pinned file
 * @param rootUid the host's id of the namespace's user 0
 * @param rootGid the host's id of the namespace's group 0
 */
public record MappedOwners(Path userNamespace, int rootUid, int rootGid) {}
