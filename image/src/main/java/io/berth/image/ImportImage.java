package io.berth.image;

import io.berth.base.Digest;
import io.berth.base.RuntimeFault;
import io.berth.base.RuntimeFault.Kind;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import tools.jackson.databind.JsonNode;

/**
 * Imports images from a file: an OCI image layout (a directory, or a tar archive, also with gzip) or an archive of
 * {@code docker save}. The bytes are as hostile as a registry's and are checked alike. Thread-safe; blocks.
 *
 * <p>Source: OCI image-spec, image-layout.md and annotations.md; docker's image specification v1.2,
 * {@code manifest.json}.
 */
public final class ImportImage {

    private static final long ARCHIVE_LIMIT = 256L << 30;

    private final Images images;
    private final ContentStore content;
    private final Platform platform;
    private final AdmitImage admission;

    public ImportImage(Images images, Platform platform) {
        this(images, platform, AdmitImage.ALL);
    }

    /** @param admission asked about each image under each of its names, before its layers are copied */
    public ImportImage(Images images, Platform platform, AdmitImage admission) {
        this.admission = admission;
        this.images = images;
        this.content = images.content();
        this.platform = platform;
    }

    /**
     * Imports all images of {@code file} that are for this platform.
     *
     * @param name what to call the image when the file has exactly one; else the names are those in the file
     */
    public List<Image> importFrom(Path file, Optional<String> name) {
        Optional<ImageReference> wanted = name.map(ImageReference::parse);
        try (ImportSource source = Files.isDirectory(file) ? new ImportSource.Directory(file)
                : new ImportArchive(existing(file), content.ingestDirectory(), ARCHIVE_LIMIT)) {
            Optional<byte[]> index = source.bytes("index.json", Manifest.SIZE_LIMIT);
            if (index.isPresent() && source.file("oci-layout").isPresent()) {
                return layout(source, index.get(), wanted, file);
            }
            Optional<byte[]> docker = source.bytes("manifest.json", Manifest.SIZE_LIMIT);
            if (docker.isPresent()) {
                return dockerSave(source, docker.get(), wanted, file);
            }
            throw RuntimeFault.invalid("import image " + file + ": neither an OCI image layout (oci-layout, index.json) "
                    + "nor an archive of docker save (manifest.json)");
        }
    }

    private static Path existing(Path file) {
        if (!Files.isRegularFile(file)) {
            throw RuntimeFault.notFound("import image " + file + ": no such file");
        }
        return file;
    }

    private List<Image> layout(ImportSource source, byte[] json, Optional<ImageReference> wanted, Path file) {
        if (!(Manifest.parse(file.toString(), json, MediaTypes.OCI_INDEX) instanceof Manifest.Choice choice)) {
            throw new RuntimeFault(Kind.DATA_LOSS, "import image " + file + ": index.json is not an index");
        }
        Set<Digest> targets = new LinkedHashSet<>();
        choice.manifests().forEach(entry -> targets.add(entry.digest()));
        if (wanted.isPresent() && targets.size() != 1) {
            throw RuntimeFault.invalid("import image " + file + ": it has " + targets.size()
                    + " images, which cannot have one name");
        }
        List<Image> imported = new ArrayList<>();
        for (Digest target : targets) {
            List<Descriptor> entries = choice.manifests().stream().filter(e -> e.digest().equals(target)).toList();
            List<String> names = wanted.map(ImageReference::toString).map(List::of)
                    .orElseGet(() -> entries.stream().flatMap(e -> named(e).stream()).toList());
            imported.add(fromLayout(source, entries.getFirst(), references(names, file), file));
        }
        return imported;
    }

    private static Optional<String> named(Descriptor entry) {
        String full = entry.annotations().getOrDefault(LayoutIndex.CONTAINERD_NAME, "");
        String name = full.isEmpty() ? entry.annotations().getOrDefault(LayoutIndex.NAME, "") : full;
        // A bare tag, as buildah and others write, names no image.
        boolean bareTag = !name.contains("/") && !name.contains(":");
        return name.isEmpty() || full.isEmpty() && bareTag ? Optional.empty() : Optional.of(name);
    }

    private static List<ImageReference> references(List<String> names, Path file) {
        List<ImageReference> found = names.stream().map(ImageReference::parse).toList();
        if (found.isEmpty()) {
            throw RuntimeFault.invalid("import image " + file + ": an image in it has no name: give one");
        }
        return found;
    }

    private Image fromLayout(ImportSource source, Descriptor entry, List<ImageReference> names, Path file) {
        try (Images.Lease lease = images.lease()) {
            Digest target = entry.digest();
            Optional<Digest> index = Optional.empty();
            Digest at = target;
            byte[] json = small(source, at, lease, file);
            Manifest manifest = Manifest.parse(file.toString(), json, entry.mediaType());
            if (manifest instanceof Manifest.Choice choice) {
                index = Optional.of(target);
                Descriptor chosen = choice.select(platform, file);
                at = chosen.digest();
                json = small(source, at, lease, file);
                manifest = Manifest.parse(file.toString(), json, chosen.mediaType());
            }
            Set<Digest> digests = Set.copyOf(List.of(at, target));
            names.forEach(name -> admission.admit(name, digests, AdmitImage.Source.FILE));
            return switch (manifest) {
                case Manifest.OfImage image -> {
                    ImageConfig config = ImageConfig.parse(small(source, image.config().digest(), lease, file));
                    image.layers().forEach(layer -> large(source, layer, lease, file));
                    yield store(image, at, json.length, index, target, config, names, lease, file);
                }
                case Manifest.OfArtifact artifact -> images.put(new BringArtifact(images, images.unpackers().of(""),
                        blob -> large(source, blob, lease, file), PullListener.NONE, lease)
                        .bring(new BringArtifact.Origin(at, json.length, index, target), artifact, names));
                case Manifest.Choice nested -> throw new RuntimeFault(Kind.DATA_LOSS, "import image " + file
                        + ": indexes within indexes");
            };
        }
    }

    private void large(ImportSource source, Descriptor blob, Images.Lease lease, Path file) {
        lease.blob(blob.digest());
        Path from = source.blob(blob.digest()).orElseThrow(() -> missing(file, blob.digest().toString()));
        copy(from, blob.digest(), blob.sizeBytes());
    }

    private Image store(Manifest.OfImage manifest, Digest manifestDigest, long manifestBytes, Optional<Digest> index,
            Digest target, ImageConfig config, List<ImageReference> names, Images.Lease lease, Path file) {
        PulledConfig.check(config, manifest, platform, file.toString());
        lease.chains(Image.chainIds(config.diffIds()));
        new UnpackImage(images, "").layers(manifest, config);
        return images.put(new Image(manifest.config().digest(), manifestDigest, index,
                names.stream().flatMap(name -> name.repoTag().stream()).toList(),
                names.stream().map(name -> name.repoDigest(target)).toList(),
                manifest.contentBytes(manifestBytes), config,
                manifest.layers().stream().map(Descriptor::digest).toList(), false, Instant.now()));
    }

    private List<Image> dockerSave(ImportSource source, byte[] json, Optional<ImageReference> wanted, Path file) {
        // manifest.json is an array; wrapped, so that the same bounded reader takes it.
        String wrapped = "{\"images\":" + new String(json, java.nio.charset.StandardCharsets.UTF_8) + "}";
        var document = BoundedJson.parse("manifest.json of " + file,
                wrapped.getBytes(java.nio.charset.StandardCharsets.UTF_8), Manifest.SIZE_LIMIT + 16);
        List<JsonNode> entries = document.objects(document.root(), "images");
        if (wanted.isPresent() && entries.size() != 1) {
            throw RuntimeFault.invalid("import image " + file + ": it has " + entries.size()
                    + " images, which cannot have one name");
        }
        List<Image> imported = new ArrayList<>();
        for (JsonNode entry : entries) {
            List<String> names = wanted.map(ImageReference::toString).map(List::of)
                    .orElseGet(() -> document.strings(entry, "RepoTags"));
            imported.add(fromDocker(source, document.string(entry, "Config"), document.strings(entry, "Layers"),
                    references(names, file), file));
        }
        return imported;
    }

    private Image fromDocker(ImportSource source, String configName, List<String> layerNames,
            List<ImageReference> names, Path file) {
        try (Images.Lease lease = images.lease()) {
            byte[] configJson = source.bytes(configName, ImageConfig.SIZE_LIMIT)
                    .orElseThrow(() -> missing(file, configName));
            ImageConfig config = ImageConfig.parse(configJson);
            Digest id = Digest.ofBytes(configJson);
            List<Path> files = layerNames.stream().map(name -> source.file(name).orElseThrow(() -> missing(file, name))).toList();
            List<Descriptor> layers = files.stream()
                    .map(layer -> new Descriptor(MediaTypes.OCI_LAYER, hash(layer), size(layer))).toList();
            var manifest = new Manifest.OfImage(MediaTypes.OCI_MANIFEST,
                    new Descriptor(MediaTypes.OCI_CONFIG, id, configJson.length), layers);
            byte[] manifestJson = manifest.toJson();
            Digest digest = Digest.ofBytes(manifestJson);
            names.forEach(name -> admission.admit(name, Set.of(digest), AdmitImage.Source.FILE));
            lease.blob(id);
            content.put(id, configJson);
            for (int i = 0; i < layers.size(); i++) {
                Digest layer = layers.get(i).digest();
                lease.blob(layer);
                copy(files.get(i), layer, layers.get(i).sizeBytes());
            }
            lease.blob(digest);
            content.put(digest, manifestJson);
            return store(manifest, digest, manifestJson.length, Optional.empty(), digest, config, names, lease, file);
        }
    }

    private byte[] small(ImportSource source, Digest digest, Images.Lease lease, Path file) {
        lease.blob(digest);
        Path blob = source.blob(digest).orElseThrow(() -> missing(file, digest.toString()));
        copy(blob, digest, size(blob));
        return content.read(digest, Manifest.SIZE_LIMIT);
    }

    private void copy(Path from, Digest digest, long sizeBytes) {
        try (Ingest ingest = content.ingest(digest, sizeBytes);
                InputStream in = Files.newInputStream(from, LinkOption.NOFOLLOW_LINKS)) {
            if (!ingest.present()) {
                ingest.restart();
                byte[] buffer = new byte[128 * 1024];
                for (int count = in.read(buffer); count >= 0; count = in.read(buffer)) {
                    ingest.write(buffer, 0, count);
                }
                ingest.commit();
            }
        } catch (IOException e) {
            throw ContentStore.fault("import blob", digest, e);
        }
    }

    private static Digest hash(Path file) {
        var hash = Digest.newHash("sha256");
        try (InputStream in = Files.newInputStream(file, LinkOption.NOFOLLOW_LINKS)) {
            byte[] buffer = new byte[128 * 1024];
            for (int count = in.read(buffer); count >= 0; count = in.read(buffer)) {
                hash.update(buffer, 0, count);
            }
            return Digest.ofHash("sha256", hash.digest());
        } catch (IOException e) {
            throw ContentStore.fault("import image: read", file.getFileName(), e);
        }
    }

    private static long size(Path file) {
        try {
            return Files.size(file);
        } catch (IOException e) {
            throw ContentStore.fault("import image: read", file.getFileName(), e);
        }
    }

    private static RuntimeFault missing(Path file, String what) {
        return new RuntimeFault(Kind.DATA_LOSS, "import image " + file + ": it lacks " + what);
    }
}
