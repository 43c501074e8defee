package io.berth.server.rpc;

import io.berth.base.RuntimeFault;
import io.berth.base.UnixTime;
import io.berth.cri.v1.AuthConfig;
import io.berth.cri.v1.FilesystemIdentifier;
import io.berth.cri.v1.FilesystemUsage;
import io.berth.cri.v1.Image;
import io.berth.cri.v1.ImageFilter;
import io.berth.cri.v1.ImageFsInfoRequest;
import io.berth.cri.v1.ImageFsInfoResponse;
import io.berth.cri.v1.ImageServiceGrpc;
import io.berth.cri.v1.ImageSpec;
import io.berth.cri.v1.ImageStatusRequest;
import io.berth.cri.v1.ImageStatusResponse;
import io.berth.cri.v1.Int64Value;
import io.berth.cri.v1.ListImagesRequest;
import io.berth.cri.v1.ListImagesResponse;
import io.berth.cri.v1.PullImageRequest;
import io.berth.cri.v1.PullImageResponse;
import io.berth.cri.v1.RemoveImageRequest;
import io.berth.cri.v1.RemoveImageResponse;
import io.berth.cri.v1.StreamImagesRequest;
import io.berth.cri.v1.StreamImagesResponse;
import io.berth.image.ImageReference;
import io.berth.image.RegistryCredentials;
import io.berth.image.SharedPulls;
import io.berth.image.ShortNames;
import io.berth.pod.Node;
import io.berth.snapshot.Usage;
import io.grpc.stub.StreamObserver;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import tools.jackson.databind.json.JsonMapper;

/** The ImageService of the CRI. */
public final class ImageRpcs extends ImageServiceGrpc.ImageServiceImplBase {

    private final Node node;
    private final SharedPulls pulls;
    private final ShortNames names;
    private final FindSnapshotter snapshotters;
    private final Answers answers;

    public ImageRpcs(Node node, SharedPulls pulls, ShortNames names, Answers answers) {
        this.node = node;
        this.pulls = pulls;
        this.names = names;
        this.snapshotters = new FindSnapshotter(node);
        this.answers = answers;
    }

    @Override
    public void listImages(ListImagesRequest request, StreamObserver<ListImagesResponse> observer) {
        answers.send("ListImages", "", observer, () -> ListImagesResponse.newBuilder()
                .addAllImages(images(request.getFilter()).toList()).build());
    }

    @Override
    public void streamImages(StreamImagesRequest request, StreamObserver<StreamImagesResponse> observer) {
        answers.stream("StreamImages", observer, stream -> stream.sendInBatches(images(request.getFilter()),
                batch -> StreamImagesResponse.newBuilder().addAllImages(batch).build()));
    }

    private Stream<Image> images(ImageFilter filter) {
        String wanted = filter.getImage().getImage();
        List<io.berth.image.Image> images = wanted.isEmpty() ? node.images().list() : find(wanted).stream().toList();
        return images.stream().map(ImageRpcs::message);
    }

    @Override
    public void imageStatus(ImageStatusRequest request, StreamObserver<ImageStatusResponse> observer) {
        answers.send("ImageStatus", request.getImage().getImage(), observer, () -> {
            var answer = ImageStatusResponse.newBuilder();
            find(named(request.getImage())).filter(image -> snapshotters.hasFor(request.getImage(), image)).ifPresent(image -> {
                answer.setImage(message(image));
                if (request.getVerbose()) {
                    answer.putAllInfo(Map.of("info", JsonMapper.shared().writeValueAsString(Map.of(
                            "manifest", image.manifest().toString(),
                            "chainIds", image.chainIds().stream().map(Object::toString).toList(),
                            "imageSpec", image.config()))));
                }
            });
            return answer.build();
        });
    }

    @Override
    public void pullImage(PullImageRequest request, StreamObserver<PullImageResponse> observer) {
        answers.send("PullImage", request.getImage().getImage(), observer, () -> {
            io.berth.image.Image image = pull(names.meanings(named(request.getImage())), credentials(request.getAuth()),
                    snapshotters.of(request));
            return PullImageResponse.newBuilder().setImageRef(image.id().toString()).build();
        });
    }

    // A short name may mean several: the first that exists is meant.
    private io.berth.image.Image pull(List<ImageReference> meanings, Optional<RegistryCredentials> credentials,
            String snapshotter) {
        for (ImageReference meaning : meanings.subList(0, meanings.size() - 1)) {
            try {
                return pulls.pull(meaning, credentials, snapshotter);
            } catch (RuntimeFault fault) {
                if (fault.kind() != RuntimeFault.Kind.NOT_FOUND) {
                    throw fault;
                }
            }
        }
        return pulls.pull(meanings.getLast(), credentials, snapshotter);
    }

    @Override
    public void removeImage(RemoveImageRequest request, StreamObserver<RemoveImageResponse> observer) {
        answers.send("RemoveImage", request.getImage().getImage(), observer, () -> {
            node.images().remove(named(request.getImage()));
            return RemoveImageResponse.getDefaultInstance();
        });
    }

    @Override
    public void imageFsInfo(ImageFsInfoRequest request, StreamObserver<ImageFsInfoResponse> observer) {
        answers.send("ImageFsInfo", "", observer, () -> {
            var content = node.images().usage();
            var layers = node.snapshotters().layerUsage();
            Usage active = node.snapshotters().activeKeys().stream().map(node.snapshotters()::usage)
                    .reduce(Usage.NONE, Usage::plus);
            return ImageFsInfoResponse.newBuilder()
                    .addImageFilesystems(usage(content.bytes() + layers.bytes(), content.files() + layers.inodes()))
                    .addContainerFilesystems(usage(active.bytes(), active.inodes())).build();
        });
    }

    private FilesystemUsage usage(long bytes, long inodes) {
        return FilesystemUsage.newBuilder().setTimestamp(UnixTime.now())
                .setFsId(FilesystemIdentifier.newBuilder().setMountpoint(node.directories().root().toString()))
                .setUsedBytes(StatsMessages.value(bytes)).setInodesUsed(StatsMessages.value(inodes)).build();
    }

    private Optional<io.berth.image.Image> find(String wanted) {
        return node.images().find(wanted).or(() -> byShortName(wanted));
    }

    private Optional<io.berth.image.Image> byShortName(String wanted) {
        List<ImageReference> meanings;
        try {
            meanings = names.meanings(wanted);
        } catch (RuntimeFault notAName) {
            return Optional.empty();
        }
        return meanings.stream().flatMap(meaning -> node.images().find(meaning.toString()).stream()).findFirst();
    }

    private static String named(ImageSpec spec) {
        if (spec.getImage().isEmpty()) {
            throw RuntimeFault.invalid("find image: the request names none");
        }
        return spec.getImage();
    }

    private static Optional<RegistryCredentials> credentials(AuthConfig auth) {
        return auth.equals(AuthConfig.getDefaultInstance()) ? Optional.empty()
                : Optional.of(new RegistryCredentials(auth.getUsername(), auth.getPassword(), auth.getAuth(),
                        auth.getIdentityToken(), auth.getRegistryToken(), auth.getServerAddress()));
    }

    private static Image message(io.berth.image.Image image) {
        Image.Builder message = Image.newBuilder().setId(image.id().toString()).addAllRepoTags(image.repoTags())
                .addAllRepoDigests(image.repoDigests()).setSize(image.sizeBytes()).setPinned(image.pinned())
                .setSpec(ImageSpec.newBuilder().setImage(image.id().toString()));
        // The kubelet checks runAsNonRoot against this: a number goes to uid, anything else is a name.
        String user = image.config().user().split(":", 2)[0];
        if (user.matches("[0-9]{1,10}")) {
            message.setUid(Int64Value.newBuilder().setValue(Long.parseLong(user)));
        } else if (!user.isEmpty()) {
            message.setUsername(user);
        } else {
            message.setUid(Int64Value.getDefaultInstance());
        }
        return message.build();
    }
}
