package io.berth.image;

import io.berth.base.RuntimeFault;
import io.berth.base.RuntimeFault.Kind;
import io.berth.base.Timeline;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Pulls an image: asks the registry or its mirrors what the name means, brings the blobs that are missing, unpacks the
 * layers, and stores the record. What an interrupted pull brought is used by the next one.
 *
 * <p>Thread-safe; blocks, on a virtual thread by preference. Interrupting the thread cancels the pull with kind
 * CANCELLED. Failures: NOT_FOUND, UNAUTHENTICATED, PERMISSION_DENIED, UNAVAILABLE (with the host and the cure),
 * DATA_LOSS (content that does not have its digest), UNSUPPORTED (not an image that Berth can run).
 */
public final class PullImage {

    private final Images images;
    private final ContentStore content;
    private final PullOptions options;
    private final FindEndpoints endpoints;
    private final HttpClients clients = new HttpClients();
    private final Optional<CheckTrust> trust;
    private final AdmitImage admission;

    public PullImage(Images images, PullOptions options) {
        this(images, options, AdmitImage.ALL);
    }

    /** @param admission asked about each image after the trust policy has accepted it */
    public PullImage(Images images, PullOptions options, AdmitImage admission) {
        this.admission = admission;
        this.images = images;
        this.content = images.content();
        this.options = options;
        this.endpoints = new FindEndpoints(options.files());
        this.trust = options.files().policy().map(file -> new CheckTrust(new TrustPolicy(file)));
    }

    PullOptions options() {
        return options;
    }

    Images images() {
        return images;
    }

    /** As below, with the usual snapshotter. */
    public Image pull(ImageReference reference, Optional<RegistryCredentials> credentials, PullListener listener) {
        return pull(reference, credentials, "", listener);
    }

    /**
     * Pulls and returns the image as it is stored, with all its names.
     *
     * @param snapshotter where the layers go; empty for the usual one
     */
    public Image pull(ImageReference reference, Optional<RegistryCredentials> credentials, String snapshotter,
            PullListener listener) {
        Unpacker unpacker = images.unpackers().of(snapshotter);
        RegistrySource source = new RegistrySource(reference,
                new FindCredentials(credentials, options.files().credentials()), endpoints.of(reference), options, clients);
        Timeline.Operation steps = Timeline.unrecorded("PullImage");
        Image pulled;
        try (Images.Lease lease = images.lease()) {
            ResolveManifest names = new ResolveManifest(content, source, options, listener, lease);
            ResolveManifest.Resolved resolved = steps.step("manifest", names::resolve);
            trust.ifPresent(check -> check.check(reference, resolved.digests(), names::signatures));
            admission.admit(reference, resolved.digests(), AdmitImage.Source.REGISTRY);
            FetchBlob blobs = new FetchBlob(content, source, options, listener);
            Image whole = switch (resolved.manifest()) {
                case Manifest.OfImage image -> image(steps, resolved, image, blobs, unpacker, reference, listener, lease);
                case Manifest.OfArtifact artifact ->
                    new BringArtifact(images, unpacker, blobs::fetch, listener, lease)
                            .bring(BringArtifact.Origin.of(resolved), artifact, List.of(reference));
                case Manifest.Choice choice -> throw new IllegalStateException("resolved to an index");
            };
            pulled = steps.step("record", () -> images.put(whole));
        }
        if (options.discardUnpacked()) {
            Thread.ofVirtual().name("discard-blobs").start(() -> images.discardUnpacked(pulled));
        }
        return pulled;
    }

    private Image image(Timeline.Operation steps, ResolveManifest.Resolved resolved, Manifest.OfImage manifest,
            FetchBlob blobs, Unpacker unpacker, ImageReference reference, PullListener listener, Images.Lease lease) {
        listener.resolved(manifest.layers().stream()
                .map(layer -> new PullListener.Blob(layer.digest(), layer.sizeBytes())).toList());
        ImageConfig config = steps.step("config", () -> config(blobs, manifest, reference, lease));
        lease.chains(Image.chainIds(config.diffIds()));
        LayerPipeline.Stack stack = new LayerPipeline.Stack(reference.toString(), resolved.manifestDigest(), manifest.layers(),
                config.diffIds());
        try (LayerPipeline layers = new LayerPipeline(blobs, content, unpacker, options, listener)) {
            steps.run("layers", () -> layers.run(stack, lease));
        }
        return new Image(manifest.config().digest(), resolved.manifestDigest(), resolved.index(),
                reference.repoTag().stream().toList(), List.of(reference.repoDigest(resolved.target())),
                manifest.contentBytes(resolved.json().length), config,
                manifest.layers().stream().map(Descriptor::digest).toList(), false, Instant.now());
    }

    /** From now on, whoever needs a blob of an image that the store has no more gets it by this. */
    public void bringsMissingBlobs() {
        images.missingBlobs(this::fetch);
    }

    /** Brings blobs of an image that is in the store, from any place that it was pulled from. */
    void fetch(Image image, List<Descriptor> missing) {
        List<RuntimeFault> faults = new ArrayList<>();
        for (String name : image.repoDigests()) {
            ImageReference reference = ImageReference.parse(name);
            RegistrySource source = new RegistrySource(reference,
                    new FindCredentials(Optional.empty(), options.files().credentials()), endpoints.of(reference), options, clients);
            try {
                FetchBlob blobs = new FetchBlob(content, source, options, PullListener.NONE);
                missing.forEach(blobs::fetch);
                return;
            } catch (RuntimeFault fault) {
                faults.add(fault);
            }
        }
        throw faults.isEmpty() ? RuntimeFault.notFound("fetch layers of image " + image.id() + ": it has no name to pull by")
                : RuntimeFault.during("fetch layers of image " + image.id() + ", which were dropped after unpacking",
                        faults.getFirst());
    }

    private ImageConfig config(FetchBlob blobs, Manifest.OfImage manifest, ImageReference reference, Images.Lease lease) {
        Descriptor descriptor = manifest.config();
        if (descriptor.sizeBytes() > ImageConfig.SIZE_LIMIT) {
            throw new RuntimeFault(Kind.DATA_LOSS, "pull image " + reference + ": the configuration has "
                    + descriptor.sizeBytes() + " bytes, more than the limit of " + ImageConfig.SIZE_LIMIT);
        }
        lease.blob(descriptor.digest());
        blobs.fetch(descriptor);
        byte[] json;
        try {
            json = content.read(descriptor.digest(), ImageConfig.SIZE_LIMIT);
        } catch (RuntimeFault damaged) {
            content.discard(descriptor.digest());
            blobs.fetch(descriptor);
            json = content.read(descriptor.digest(), ImageConfig.SIZE_LIMIT);
        }
        ImageConfig config = ImageConfig.parse(json);
        PulledConfig.check(config, manifest, options.platform(), reference.toString());
        return config;
    }
}
