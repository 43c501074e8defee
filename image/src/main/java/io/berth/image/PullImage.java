package io.berth.image;

import io.berth.base.Digest;
import io.berth.base.RuntimeFault;
import io.berth.base.RuntimeFault.Kind;
import io.berth.base.Timeline;
import java.io.IOException;
import java.time.Instant;
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

    private static final int INDEX_DEPTH = 3;
    private static final int REPAIRS = 2;

    private final Images images;
    private final ContentStore content;
    private final PullOptions options;
    private final RegistryHosts hosts;
    private final HttpClients clients = new HttpClients();

    public PullImage(Images images, PullOptions options) {
        this.images = images;
        this.content = images.content();
        this.options = options;
        this.hosts = new RegistryHosts(options.certsDirectory());
    }

    /** What a name led to. */
    private record Resolved(Digest target, Optional<Digest> index, Digest manifestDigest, byte[] json,
            Manifest.OfImage manifest) {}

    private record Document(byte[] json, String type, Digest digest) {}

    /** Pulls and returns the image as it is stored, with all its names. */
    public Image pull(ImageReference reference, Optional<RegistryCredentials> credentials, PullListener listener) {
        List<Endpoint> endpoints = hosts.endpoints(reference.registry());
        RegistrySource source = new RegistrySource(reference, credentials, endpoints, options, clients);
        Timeline.Operation steps = Timeline.unrecorded("PullImage");
        try (Images.Lease lease = images.lease()) {
            Resolved resolved = steps.step("manifest", () -> resolve(source, listener, lease));
            Manifest.OfImage manifest = resolved.manifest;
            listener.resolved(reference, resolved.manifestDigest, manifest.layers().size(),
                    manifest.contentBytes(resolved.json.length));
            FetchBlob blobs = new FetchBlob(content, source, options, listener);
            ImageConfig config = steps.step("config", () -> config(blobs, manifest, reference, lease));
            lease.chains(Image.chainIds(config.diffIds()));
            for (int attempt = 0;; attempt++) {
                try (LayerPipeline layers = new LayerPipeline(blobs, content, images.unpacker(), options, listener)) {
                    steps.run("layers", () -> layers.run(manifest.layers(), config.diffIds(), lease));
                    break;
                } catch (LayerPipeline.DamagedBlob damaged) {
                    // The store's own copy had rotted: it is gone now, so the next round fetches it again.
                    if (attempt >= REPAIRS) {
                        throw damaged;
                    }
                }
            }
            return steps.step("record", () -> images.put(new Image(manifest.config().digest(), resolved.manifestDigest, resolved.index,
                    reference.repoTag().stream().toList(), List.of(reference.repoDigest(resolved.target)),
                    manifest.contentBytes(resolved.json.length), config,
                    manifest.layers().stream().map(Descriptor::digest).toList(), false, Instant.now())));
        }
    }

    private Resolved resolve(RegistrySource source, PullListener listener, Images.Lease lease) {
        ImageReference reference = source.reference();
        Optional<Digest> expected = reference.digest();
        Document document = expected.map(d -> byDigest(source, listener, lease, d, ""))
                .orElseGet(() -> byTag(source, listener, lease));
        Digest target = document.digest;
        Optional<Digest> index = Optional.empty();
        for (int depth = 0; depth < INDEX_DEPTH; depth++) {
            switch (Manifest.parse(reference.toString(), document.json, document.type)) {
                case Manifest.OfImage image -> {
                    return new Resolved(target, index, document.digest, document.json, image);
                }
                case Manifest.Choice choice -> {
                    index = Optional.of(document.digest);
                    Descriptor chosen = choice.select(options.platform(), reference);
                    document = byDigest(source, listener, lease, chosen.digest(), chosen.mediaType());
                }
            }
        }
        throw new RuntimeFault(Kind.DATA_LOSS, "pull image " + reference + ": indexes within indexes");
    }

    private Document byTag(RegistrySource source, PullListener listener, Images.Lease lease) {
        ImageReference reference = source.reference();
        Document found = source.first(Endpoint::resolves, session ->
                manifest(session, listener, reference.wanted(), Optional.empty(), reference));
        lease.blob(found.digest);
        content.put(found.digest, found.json);
        return found;
    }

    private Document byDigest(RegistrySource source, PullListener listener, Images.Lease lease, Digest digest,
            String type) {
        lease.blob(digest);
        Optional<byte[]> stored = stored(digest);
        if (stored.isPresent()) {
            return new Document(stored.get(), type, digest);
        }
        Document found = source.first(Endpoint::pulls, session ->
                manifest(session, listener, digest.toString(), Optional.of(digest), source.reference()));
        content.put(digest, found.json);
        return type.isEmpty() ? found : new Document(found.json, type, digest);
    }

    private Optional<byte[]> stored(Digest digest) {
        if (!content.has(digest)) {
            return Optional.empty();
        }
        try {
            return Optional.of(content.read(digest, Manifest.SIZE_LIMIT));
        } catch (RuntimeFault damaged) {
            content.discard(digest);
            return Optional.empty();
        }
    }

    private Document manifest(RegistrySession session, PullListener listener, String wanted, Optional<Digest> expected,
            ImageReference reference) {
        return Retry.on(options, listener, "manifest of " + reference, () -> {
            try (RegistrySession.Answer answer = session.manifest(wanted)) {
                byte[] json = answer.read(Manifest.SIZE_LIMIT);
                Digest found = expected.filter(d -> d.algorithm().equals("sha512"))
                        .map(d -> Digest.ofHash("sha512", Digest.newHash("sha512").digest(json)))
                        .orElseGet(() -> Digest.ofBytes(json));
                String said = answer.header("Docker-Content-Digest");
                Digest right = expected.orElseGet(() -> Digest.isDigest(said) && said.startsWith("sha256:")
                        ? Digest.parse(said) : found);
                if (!found.equals(right)) {
                    throw new RuntimeFault(Kind.DATA_LOSS, "pull image " + reference + ": the manifest from "
                            + session.endpoint() + " has digest " + found + " instead of " + right);
                }
                String type = answer.header("Content-Type").replaceFirst(";.*", "").strip();
                return new Document(json, type, found);
            } catch (IOException e) {
                throw RegistryFault.passing(Kind.UNAVAILABLE, "pull image " + reference + ": manifest from "
                        + session.endpoint() + ": connection broke: " + RuntimeFault.reason(e), e, Optional.empty());
            }
        });
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
