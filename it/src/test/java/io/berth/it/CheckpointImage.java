package io.berth.it;

import io.berth.api.v1.ImportImageRequest;
import io.berth.base.Digest;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/** The files of a checkpoint as an image: one layer, and the annotation by which such an image is known. */
final class CheckpointImage {

    private CheckpointImage() {}

    /**
     * Imports it as {@code name}.
     *
     * @param directory for its OCI layout, made where it is missing
     * @param layer a tar of the files
     */
    static void importInto(TestDaemon daemon, Path directory, byte[] layer, String name) throws IOException {
        Path layout = Files.createDirectories(directory);
        String diffId = blob(layout, layer);
        byte[] config = ("{\"architecture\": \"amd64\", \"os\": \"linux\", \"config\": {}, \"rootfs\": {\"type\": \"layers\","
                + " \"diff_ids\": [\"" + diffId + "\"]}}").getBytes(StandardCharsets.UTF_8);
        byte[] manifest = ("{\"schemaVersion\": 2, \"mediaType\": \"application/vnd.oci.image.manifest.v1+json\", \"config\": "
                + descriptor("config", blob(layout, config), config.length) + ", \"layers\": ["
                + descriptor("layer", diffId, layer.length) + "], \"annotations\":"
                + " {\"org.criu.checkpoint.container.name\": \"c\"}}").getBytes(StandardCharsets.UTF_8);
        Files.writeString(layout.resolve("oci-layout"), "{\"imageLayoutVersion\": \"1.0.0\"}");
        Files.writeString(layout.resolve("index.json"), "{\"schemaVersion\": 2, \"manifests\": [{\"mediaType\":"
                + " \"application/vnd.oci.image.manifest.v1+json\", \"digest\": \"" + blob(layout, manifest) + "\", \"size\": "
                + manifest.length + ", \"annotations\": {\"io.containerd.image.name\": \"" + name + "\"}}]}");
        daemon.connection().berth().importImage(ImportImageRequest.newBuilder().setPath(layout.toString()).build());
    }

    private static String descriptor(String kind, String digest, long size) {
        String type = kind.equals("config") ? "config.v1+json" : "layer.v1.tar";
        return "{\"mediaType\": \"application/vnd.oci.image." + type + "\", \"digest\": \"" + digest + "\", \"size\": " + size + "}";
    }

    private static String blob(Path layout, byte[] bytes) throws IOException {
        Digest digest = Digest.ofBytes(bytes);
        Path blobs = Files.createDirectories(layout.resolve("blobs/sha256"));
        Files.write(blobs.resolve(digest.hex()), bytes);
        return digest.toString();
    }
}
