package io.berth.image;

import io.berth.base.RuntimeFault;
import java.util.List;
import java.util.stream.Collectors;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * What a registry names by tag or digest: the parts of one image, or a choice of images by platform.
 *
 * <p>Strict, because the same bytes must not mean two things to two readers: the type in the document, the type that
 * the registry gives and the members have to agree. Source: OCI image-spec, manifest.md, image-index.md.
 */
sealed interface Manifest {

    /** Largest manifest that is read, in bytes. */
    int SIZE_LIMIT = 8 << 20;

    int ENTRY_LIMIT = 4096;

    /** The media type. */
    String mediaType();

    /** One image. */
    record OfImage(String mediaType, Descriptor config, List<Descriptor> layers) implements Manifest {

        long contentBytes(long manifestBytes) {
            return manifestBytes + config.sizeBytes() + layers.stream().mapToLong(Descriptor::sizeBytes).sum();
        }

        byte[] toJson() {
            ObjectNode node = BoundedJson.MAPPER.createObjectNode();
            node.put("schemaVersion", 2).put("mediaType", mediaType);
            node.set("config", config.toJson());
            var array = node.putArray("layers");
            layers.forEach(layer -> array.add(layer.toJson()));
            return BoundedJson.MAPPER.writeValueAsBytes(node);
        }
    }

    /**
     * Files that are no image to run: a model, a chart, a policy. A pod may mount them.
     *
     * @param artifactType what they are
     */
    record OfArtifact(String mediaType, String artifactType, Descriptor config, List<Descriptor> layers)
            implements Manifest {

        long contentBytes(long manifestBytes) {
            return manifestBytes + config.sizeBytes() + layers.stream().mapToLong(Descriptor::sizeBytes).sum();
        }
    }

    /** A choice by platform. */
    record Choice(String mediaType, List<Descriptor> manifests) implements Manifest {

        /** The manifest for {@code platform}; a fault of kind NOT_FOUND that says what there is. */
        Descriptor select(Platform platform, Object image) {
            Descriptor best = null;
            int bestSuits = 0;
            for (Descriptor offered : manifests) {
                // An entry without a platform is taken for the only one, as docker does.
                int suits = offered.platform().map(platform::suits).orElse(manifests.size() == 1 ? 1 : 0);
                if (suits > bestSuits) {
                    bestSuits = suits;
                    best = offered;
                }
            }
            if (best == null) {
                String there = manifests.stream().flatMap(m -> m.platform().stream()).map(Platform::toString)
                        .filter(p -> !p.startsWith("unknown/")).distinct().limit(20).collect(Collectors.joining(", "));
                throw RuntimeFault.notFound("pull image " + image + ": it has no variant for " + platform
                        + "; it has: " + (there.isEmpty() ? "none" : there));
            }
            return best;
        }
    }

    /**
     * Reads a manifest.
     *
     * @param type what the registry or descriptor says it is; empty when nothing is said
     */
    static Manifest parse(String what, byte[] json, String type) {
        if (MediaTypes.isSchema1(type)) {
            throw schema1(what);
        }
        var document = BoundedJson.parse("manifest of " + what, json, SIZE_LIMIT);
        JsonNode root = document.root();
        if (document.count(root, "schemaVersion") != 2) {
            throw root.has("fsLayers") || document.count(root, "schemaVersion") == 1 ? schema1(what)
                    : document.bad("schemaVersion is not 2");
        }
        String said = document.string(root, "mediaType");
        String known = said.isEmpty() ? type : said;
        boolean typeIsGeneric = type.isEmpty() || type.equals("application/json")
                || type.equals("application/octet-stream") || type.equals("text/plain");
        if (!typeIsGeneric && !said.isEmpty() && !said.equals(type)) {
            throw document.bad("it says that it is " + said + " but was delivered as " + type);
        }
        boolean list = root.has("manifests");
        if (list && (root.has("config") || root.has("layers"))) {
            throw document.bad("it is both an index and an image");
        }
        if (said.isEmpty() && typeIsGeneric) {
            known = list ? MediaTypes.OCI_INDEX : MediaTypes.OCI_MANIFEST;
        }
        if (MediaTypes.isIndex(known) && list) {
            return choice(document, root, known);
        }
        if (MediaTypes.isManifest(known) && !list) {
            return image(what, document, root, known);
        }
        throw new RuntimeFault(RuntimeFault.Kind.UNSUPPORTED, "read manifest of " + what + ": media type \"" + known
                + "\" is not that of an image" + (list ? " index" : ""));
    }

    private static Choice choice(BoundedJson document, JsonNode root, String type) {
        List<JsonNode> entries = document.objects(root, "manifests");
        if (entries.size() > ENTRY_LIMIT) {
            throw document.bad("more than " + ENTRY_LIMIT + " entries");
        }
        return new Choice(type, entries.stream().map(entry -> Descriptor.read(document, entry)).toList());
    }

    private static Manifest image(String what, BoundedJson document, JsonNode root, String type) {
        List<JsonNode> entries = document.objects(root, "layers");
        if (entries.size() > ENTRY_LIMIT) {
            throw document.bad("more than " + ENTRY_LIMIT + " layers");
        }
        if (!root.hasNonNull("config")) {
            throw document.bad("it has no configuration");
        }
        Descriptor config = Descriptor.read(document, document.object(root, "config"));
        List<Descriptor> layers = entries.stream().map(entry -> Descriptor.read(document, entry)).toList();
        if (!MediaTypes.isConfig(config.mediaType())) {
            String named = document.string(root, "artifactType");
            return new OfArtifact(type, named.isEmpty() ? config.mediaType() : named, config, layers);
        }
        for (Descriptor layer : layers) {
            if (!MediaTypes.isLayer(layer.mediaType())) {
                throw new RuntimeFault(RuntimeFault.Kind.UNSUPPORTED, "read manifest of " + what + ": layer "
                        + layer.digest() + " has the unknown type \"" + layer.mediaType() + "\"");
            }
        }
        return new OfImage(type, config, layers);
    }

    private static RuntimeFault schema1(String what) {
        return new RuntimeFault(RuntimeFault.Kind.UNSUPPORTED, "read manifest of " + what
                + ": docker schema 1 is not supported: push the image again with a current tool");
    }
}
