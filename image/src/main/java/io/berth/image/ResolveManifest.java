package io.berth.image;

import io.berth.base.Digest;
import io.berth.base.RuntimeFault;
import io.berth.base.RuntimeFault.Kind;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.LinkedHashSet;
import tools.jackson.databind.JsonNode;

/**
 * Finds out what a name means: from the registry or its mirrors to the manifest for this platform. What is found is put
 * into the content store under the pull's lease. Used by one thread.
 */
final class ResolveManifest {

    private static final int INDEX_DEPTH = 3;

    private final ContentStore content;
    private final RegistrySource source;
    private final PullOptions options;
    private final PullListener listener;
    private final Images.Lease lease;

    ResolveManifest(ContentStore content, RegistrySource source, PullOptions options, PullListener listener,
            Images.Lease lease) {
        this.content = content;
        this.source = source;
        this.options = options;
        this.listener = listener;
        this.lease = lease;
    }

    /**
     * What a name led to.
     *
     * @param target what the name itself stands for: the index where there is one
     */
    record Resolved(Digest target, Optional<Digest> index, Digest manifestDigest, byte[] json, Manifest manifest) {
        /** By which the image may be signed. */
        Set<Digest> digests() {
            return new LinkedHashSet<>(List.of(target, manifestDigest));
        }
    }

    private record Document(byte[] json, String type, Digest digest) {}

    Resolved resolve() {
        ImageReference reference = source.reference();
        Optional<Digest> expected = reference.digest();
        Document document = expected.map(d -> byDigest(d, ""))
                .orElseGet(() -> byTag());
        Digest target = document.digest;
        Optional<Digest> index = Optional.empty();
        for (int depth = 0; depth < INDEX_DEPTH; depth++) {
            switch (Manifest.parse(reference.toString(), document.json, document.type)) {
                case Manifest.OfImage image -> {
                    return new Resolved(target, index, document.digest, document.json, image);
                }
                case Manifest.OfArtifact artifact -> {
                    return new Resolved(target, index, document.digest, document.json, artifact);
                }
                case Manifest.Choice choice -> {
                    index = Optional.of(document.digest);
                    Descriptor chosen = choice.select(options.platform(), reference);
                    document = byDigest(chosen.digest(), chosen.mediaType());
                }
            }
        }
        throw new RuntimeFault(Kind.DATA_LOSS, "pull image " + reference + ": indexes within indexes");
    }

    private Document byTag() {
        ImageReference reference = source.reference();
        Document found = source.first(Endpoint::resolves, session ->
                manifest(session, reference.wanted(), Optional.empty()));
        lease.blob(found.digest);
        content.put(found.digest, found.json);
        return found;
    }

    private Document byDigest(Digest digest, String type) {
        lease.blob(digest);
        Optional<byte[]> stored = stored(digest);
        if (stored.isPresent()) {
            return new Document(stored.get(), type, digest);
        }
        Document found = source.first(Endpoint::pulls, session ->
                manifest(session, digest.toString(), Optional.of(digest)));
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

    private Document manifest(RegistrySession session, String wanted, Optional<Digest> expected) {
        ImageReference reference = source.reference();
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

    /** What is signed for the digest in the registry, in the form of cosign; empty when there is nothing. */
    List<CheckTrust.Signed> signatures(Digest of) {
        Document document;
        try {
            document = source.first(Endpoint::resolves, session ->
                    manifest(session, of.algorithm() + "-" + of.hex() + ".sig", Optional.empty()));
        } catch (RuntimeFault fault) {
            if (fault.kind() == Kind.NOT_FOUND) {
                return List.of();
            }
            throw fault;
        }
        BoundedJson json = BoundedJson.parse("signatures of " + of, document.json, Manifest.SIZE_LIMIT);
        List<CheckTrust.Signed> found = new ArrayList<>();
        for (JsonNode layer : json.objects(json.root(), "layers")) {
            Descriptor payload = Descriptor.read(json, layer);
            String signature = payload.annotations().getOrDefault(CheckTrust.SIGNATURE, "");
            if (payload.mediaType().equals(CheckTrust.PAYLOAD_TYPE) && !signature.isEmpty()
                    && payload.sizeBytes() <= CheckTrust.PAYLOAD_LIMIT) {
                lease.blob(payload.digest());
                new FetchBlob(content, source, options, listener).fetch(payload);
                found.add(new CheckTrust.Signed(content.read(payload.digest(), CheckTrust.PAYLOAD_LIMIT),
                        CheckTrust.decoded(signature)));
            }
        }
        return found;
    }
}
