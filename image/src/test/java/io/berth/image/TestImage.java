package io.berth.image;

import io.berth.base.Digest;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.zip.GZIPOutputStream;

/** A small image made by hand: its blobs by digest, its manifest, and an index around it. */
final class TestImage {

    final Map<Digest, byte[]> blobs = new LinkedHashMap<>();
    final List<Digest> layers = new ArrayList<>();
    final byte[] config;
    final byte[] manifest;
    final byte[] index;

    TestImage(String... layerContents) {
        this(Platform.host(), layerContents);
    }

    TestImage(Platform platform, String... layerContents) {
        String architecture = platform.architecture();
        List<String> diffIds = new ArrayList<>();
        List<String> descriptors = new ArrayList<>();
        for (String content : layerContents) {
            byte[] plain = content.getBytes(StandardCharsets.UTF_8);
            byte[] packed = gzip(plain);
            Digest digest = Digest.ofBytes(packed);
            blobs.put(digest, packed);
            layers.add(digest);
            diffIds.add("\"" + Digest.ofBytes(plain) + "\"");
            descriptors.add(descriptor("application/vnd.oci.image.layer.v1.tar+gzip", packed));
        }
        config = bytes("{\"architecture\":\"" + architecture + "\",\"os\":\"linux\",\"config\":{\"Cmd\":[\"/bin/true\"],"
                + "\"Labels\":null},\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[" + String.join(",", diffIds) + "]}}");
        blobs.put(Digest.ofBytes(config), config);
        manifest = bytes("{\"schemaVersion\":2,\"mediaType\":\"" + MediaTypes.OCI_MANIFEST + "\",\"config\":"
                + descriptor(MediaTypes.OCI_CONFIG, config) + ",\"layers\":[" + String.join(",", descriptors) + "]}");
        index = bytes("{\"schemaVersion\":2,\"mediaType\":\"" + MediaTypes.OCI_INDEX + "\",\"manifests\":["
                + descriptor(MediaTypes.OCI_MANIFEST, manifest).replaceFirst("}$",
                        ",\"platform\":{\"os\":\"linux\",\"architecture\":\"" + architecture + "\"}}") + "]}");
    }

    Digest id() {
        return Digest.ofBytes(config);
    }

    Digest manifestDigest() {
        return Digest.ofBytes(manifest);
    }

    Digest indexDigest() {
        return Digest.ofBytes(index);
    }

    static String descriptor(String type, byte[] content) {
        return "{\"mediaType\":\"" + type + "\",\"digest\":\"" + Digest.ofBytes(content) + "\",\"size\":" + content.length + "}";
    }

    static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    static byte[] gzip(byte[] plain) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try (GZIPOutputStream gzip = new GZIPOutputStream(out)) {
            gzip.write(plain);
        } catch (IOException e) {
            throw new AssertionError(e);
        }
        return out.toByteArray();
    }
}
