package io.berth.network;

import java.nio.file.Path;
import java.util.Optional;

/**
 * Names the sandbox to detach. Immutable. Ports and annotations are not asked for again: the network kept them when it
 * attached the sandbox.
 *
 * @param netns the pinned network namespace, empty when it is gone
 */
public record DetachRequest(
        String sandboxId, String podName, String podNamespace, String podUid, Optional<Path> netns) {}
