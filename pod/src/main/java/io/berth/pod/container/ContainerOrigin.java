package io.berth.pod.container;

import io.berth.cri.v1.ContainerConfig;
import io.berth.image.Image;
import io.berth.pod.checkpoint.Checkpoint;
import java.util.Optional;

/**
 * What a container is made from.
 *
 * @param config as it is recorded: the client's, of a restored container with the image below the checkpoint
 * @param image what its root file system stands on
 * @param checkpoint what it goes on from; empty where it begins anew
 */
record ContainerOrigin(ContainerConfig config, Image image, Optional<Checkpoint> checkpoint) {}
