package io.berth.pod.container;

import io.berth.base.RuntimeFault;
import io.berth.cri.v1.ContainerConfig;
import io.berth.image.CheckpointImage;
import io.berth.image.Image;
import io.berth.image.UnpackImage;
import io.berth.pod.Node;
import io.berth.pod.checkpoint.Checkpoint;
import io.berth.pod.checkpoint.CheckpointSource;
import io.berth.pod.record.Sandbox;
import io.berth.snapshot.Snapshotters;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * Finds what a request for a container means: an image to run, or a checkpoint to go on from, which is the absolute path of an
 * archive or an image that says so of itself. Reads and writes nothing but that.
 *
 * <p>The image below a checkpoint has to be on the node. The archive's word for it is hostile: it must not make the node fetch
 * anything, and which credentials that would take nobody has said.
 */
final class FindOrigin {

    private final Node node;

    FindOrigin(Node node) {
        this.node = node;
    }

    /**
     * The origin.
     *
     * @throws RuntimeFault NOT_FOUND for an image or archive that is not there, UNSUPPORTED or FAILED_PRECONDITION where
     *     nothing can be restored, INVALID_ARGUMENT and others for a checkpoint that is none
     */
    ContainerOrigin of(ContainerConfig config, Sandbox sandbox) {
        String wanted = config.getImage().getImage();
        if (wanted.startsWith("/")) {
            return restored(config, sandbox, new CheckpointSource.Archive(archive(config, wanted)));
        }
        Image image = node.images().find(wanted).orElseThrow(() -> RuntimeFault.notFound("create container "
                + config.getMetadata().getName() + ": image " + wanted + " is not on this node: pull it first"));
        if (!mayBeCheckpoint(image) || CheckpointImage.containerName(node.images(), image).isEmpty()) {
            return new ContainerOrigin(config, image, Optional.empty());
        }
        if (node.settings().checkpoints() && !node.settings().checkpointImages()) {
            throw RuntimeFault.unsupported("create container " + config.getMetadata().getName() + ": image " + wanted
                    + " is the checkpoint of a container, and this node restores only archives: set"
                    + " runtime.enable_checkpoint_images = true where all who name images for pods may be trusted with it");
        }
        return restored(config, sandbox, layer(config, image));
    }

    // Spares nearly every container a look into its image's manifest. Without a program it could not run anyway, and is told why.
    private boolean mayBeCheckpoint(Image image) {
        return node.settings().checkpoints() || image.config().entrypoint().isEmpty() && image.config().cmd().isEmpty();
    }

    private static Path archive(ContainerConfig config, String wanted) {
        Path path = wanted.indexOf('\0') < 0 ? Path.of(wanted) : Path.of("/");
        if (!Files.isRegularFile(path, LinkOption.NOFOLLOW_LINKS)) {
            throw RuntimeFault.notFound("create container " + config.getMetadata().getName() + ": image "
                    + wanted.replaceAll("\\p{Cntrl}", "?") + " is neither the name of an image nor the archive of a checkpoint");
        }
        return path;
    }

    // Tools that make such images put all files into one layer.
    private CheckpointSource layer(ContainerConfig config, Image image) {
        // Its files are looked at, not run: in directories, whatever the handler's containers stand on.
        new UnpackImage(node.images(), Snapshotters.BUILT_IN).ensure(image);
        String name = config.getImage().getUserSpecifiedImage().isEmpty() ? config.getImage().getImage()
                : config.getImage().getUserSpecifiedImage();
        return image.chainIds().reversed().stream().map(node.snapshotters().builtIn()::files)
                .filter(files -> Files.exists(files.resolve("config.dump"), LinkOption.NOFOLLOW_LINKS)).findFirst()
                .map(files -> new CheckpointSource.Layer(files, "image " + name))
                .orElseThrow(() -> RuntimeFault.invalid("restore container " + config.getMetadata().getName() + " from image "
                        + name + ": no layer of it has a config.dump: it is no checkpoint of a container"));
    }

    private ContainerOrigin restored(ContainerConfig config, Sandbox sandbox, CheckpointSource source) {
        String what = "restore container " + config.getMetadata().getName() + " from " + source.shown();
        if (!RequireCriu.of(node, sandbox.handler(), what).canRestore()) {
            throw RuntimeFault.unsupported(what + ": the runtime of handler " + node.handlerName(sandbox.handler())
                    + " was built without CRIU: use another handler");
        }
        if (sandbox.ownsUserNamespace()) {
            throw RuntimeFault.unsupported(what + ": the pod has a user namespace, in which CRIU cannot restore");
        }
        Checkpoint checkpoint = Checkpoint.read(source);
        Image image = checkpoint.images().stream().flatMap(name -> node.images().find(name).stream()).findFirst()
                .orElseThrow(() -> RuntimeFault.notFound(what + ": the image below it, "
                        + String.join(" or ", checkpoint.images()).replaceAll("\\p{Cntrl}", "?")
                        + ", is not on this node: pull it first"));
        return new ContainerOrigin(recorded(config, checkpoint, image), image, Optional.of(checkpoint));
    }

    // Clients see the image that the container runs, and in annotations where it comes from, as with containerd.
    private static ContainerConfig recorded(ContainerConfig config, Checkpoint checkpoint, Image image) {
        ContainerConfig.Builder recorded = config.toBuilder();
        String asked = config.getImage().getUserSpecifiedImage().isEmpty() ? config.getImage().getImage()
                : config.getImage().getUserSpecifiedImage();
        recorded.getImageBuilder().setImage(image.id().toString())
                .setUserSpecifiedImage(checkpoint.imageName().isEmpty() ? image.id().toString() : checkpoint.imageName());
        recorded.putAnnotations("restored", "true").putAnnotations("checkpointedAt", checkpoint.writtenAt())
                .putAnnotations("checkpointImage", asked);
        boolean hasProgram = config.getCommandCount() + config.getArgsCount() > 0
                || !image.config().entrypoint().isEmpty() || !image.config().cmd().isEmpty();
        if (!hasProgram) {
            // Only for those who read the specification: the program itself is in the memory.
            List<String> arguments = checkpoint.specification().path("process").path("args").valueStream()
                    .map(argument -> argument.asString("")).toList();
            recorded.addAllCommand(arguments);
        }
        return recorded.build();
    }
}
