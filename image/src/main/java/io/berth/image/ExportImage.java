package io.berth.image;

import io.berth.base.Digest;
import io.berth.base.RandomId;
import io.berth.base.RuntimeFault;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveOutputStream;
import tools.jackson.databind.node.ObjectNode;

/**
 * Writes an image to a tar archive that is both an OCI image layout and what {@code docker load} reads. Layer blobs that
 * were dropped after they were unpacked are fetched again for it. Stateless, thread-safe; blocks.
 *
 * <p>Source: OCI image-spec, image-layout.md; docker's image specification v1.2, {@code manifest.json}.
 */
public final class ExportImage {

    private final Images images;
    private final ContentStore content;
    private final PullImage pull;

    public ExportImage(PullImage pull) {
        this.images = pull.images();
        this.content = images.content();
        this.pull = pull;
    }

    /** @param target the file, written beside and renamed; one that is there is replaced */
    public void export(Image image, Path target) {
        try (Images.Lease lease = images.lease()) {
            image.blobs().forEach(lease::blob);
            Manifest manifest = Manifest.parse(image.id().toString(),
                    content.read(image.manifest(), Manifest.SIZE_LIMIT), "");
            if (!(manifest instanceof Manifest.OfImage described)) {
                throw RuntimeFault.unsupported("export image " + image.id() + ": it is an artifact, not an image");
            }
            List<Descriptor> missing = described.layers().stream().filter(layer -> !content.has(layer.digest())).toList();
            if (!missing.isEmpty()) {
                pull.fetch(image, missing);
            }
            write(image, described, target);
        }
        if (pull.options().discardUnpacked()) {
            images.discardUnpacked(image);
        }
    }

    private void write(Image image, Manifest.OfImage manifest, Path target) {
        Path beside = target.resolveSibling("." + target.getFileName() + "." + RandomId.hex(6));
        try {
            try (FileChannel file = FileChannel.open(beside, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
                    OutputStream buffered = new BufferedOutputStream(Channels.newOutputStream(file), 128 * 1024);
                    TarArchiveOutputStream tar = new TarArchiveOutputStream(buffered, "UTF-8")) {
                tar.setBigNumberMode(TarArchiveOutputStream.BIGNUMBER_POSIX);
                entry(tar, "oci-layout", "{\"imageLayoutVersion\":\"1.0.0\"}".getBytes(StandardCharsets.UTF_8));
                entry(tar, "index.json", index(image, manifest));
                entry(tar, "manifest.json", dockerManifest(image, manifest));
                Set<Digest> blobs = new LinkedHashSet<>(List.of(image.manifest(), image.id()));
                manifest.layers().forEach(layer -> blobs.add(layer.digest()));
                for (Digest blob : blobs) {
                    blob(tar, blob);
                }
                tar.finish();
                buffered.flush();
                file.force(true);
            }
            Files.move(beside, target, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } catch (IOException e) {
            throw ContentStore.fault("export image to", target, e);
        } finally {
            discard(beside);
        }
    }

    private static void discard(Path beside) {
        try {
            Files.deleteIfExists(beside);
        } catch (IOException e) {
            throw ContentStore.fault("remove", beside, e);
        }
    }

    private byte[] index(Image image, Manifest.OfImage manifest) {
        ObjectNode root = BoundedJson.MAPPER.createObjectNode();
        root.put("schemaVersion", 2).put("mediaType", MediaTypes.OCI_INDEX);
        var manifests = root.putArray("manifests");
        long size = content.size(image.manifest());
        if (image.repoTags().isEmpty()) {
            manifests.add(new Descriptor(manifest.mediaType(), image.manifest(), size).toJson());
        }
        for (String tag : image.repoTags()) {
            manifests.add(new Descriptor(manifest.mediaType(), image.manifest(), size, Optional.empty(),
                    Map.of(LayoutIndex.NAME, tag, LayoutIndex.CONTAINERD_NAME, tag)).toJson());
        }
        return BoundedJson.MAPPER.writeValueAsBytes(root);
    }

    private static byte[] dockerManifest(Image image, Manifest.OfImage manifest) {
        var array = BoundedJson.MAPPER.createArrayNode();
        ObjectNode entry = array.addObject();
        entry.put("Config", name(image.id()));
        var tags = entry.putArray("RepoTags");
        image.repoTags().forEach(tags::add);
        var layers = entry.putArray("Layers");
        manifest.layers().forEach(layer -> layers.add(name(layer.digest())));
        return BoundedJson.MAPPER.writeValueAsBytes(array);
    }

    private static String name(Digest blob) {
        return "blobs/" + blob.algorithm() + "/" + blob.hex();
    }

    private static void entry(TarArchiveOutputStream tar, String name, byte[] bytes) throws IOException {
        TarArchiveEntry entry = new TarArchiveEntry(name);
        entry.setSize(bytes.length);
        entry.setMode(0644);
        tar.putArchiveEntry(entry);
        tar.write(bytes);
        tar.closeArchiveEntry();
    }

    private void blob(TarArchiveOutputStream tar, Digest blob) throws IOException {
        TarArchiveEntry entry = new TarArchiveEntry(name(blob));
        entry.setSize(content.size(blob));
        entry.setMode(0644);
        tar.putArchiveEntry(entry);
        // Copied through a hash: an archive of damaged bytes would look like a good one.
        var hash = Digest.newHash(blob.algorithm());
        try (InputStream in = content.open(blob)) {
            byte[] buffer = new byte[128 * 1024];
            for (int count = in.read(buffer); count >= 0; count = in.read(buffer)) {
                hash.update(buffer, 0, count);
                tar.write(buffer, 0, count);
            }
        }
        if (!Digest.ofHash(blob.algorithm(), hash.digest()).equals(blob)) {
            throw new RuntimeFault(RuntimeFault.Kind.DATA_LOSS, "export blob " + blob
                    + ": the file does not have its digest: run \"berth image verify --repair\"");
        }
        tar.closeArchiveEntry();
    }
}
