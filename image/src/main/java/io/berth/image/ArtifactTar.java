package io.berth.image;

import io.berth.base.Digest;
import io.berth.base.RuntimeFault;
import io.berth.base.RuntimeFault.Kind;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.SequenceInputStream;
import java.nio.charset.StandardCharsets;
import java.util.Collections;
import java.util.Enumeration;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;

/**
 * The files of an artifact as the archive of one layer, made on the fly and the same each time: each blob under the name
 * that its annotation gives, or that of its digest. Source: OCI image-spec, annotations.md,
 * {@code org.opencontainers.image.title}; KEP-4639.
 */
final class ArtifactTar {

    static final String TITLE = "org.opencontainers.image.title";
    private static final int NAME_LIMIT = 99;
    private static final int BLOCK = 512;

    private final ContentStore content;
    private final Manifest.OfArtifact artifact;

    ArtifactTar(ContentStore content, Manifest.OfArtifact artifact) {
        this.content = content;
        this.artifact = artifact;
        Set<String> names = new HashSet<>();
        for (Descriptor blob : artifact.layers()) {
            if (!names.add(name(blob))) {
                throw new RuntimeFault(Kind.DATA_LOSS, "read artifact: two files have the name \"" + name(blob) + "\"");
            }
        }
    }

    private static String name(Descriptor blob) {
        String title = blob.annotations().getOrDefault(TITLE, "");
        String name = title.isEmpty() ? blob.digest().hex() : title;
        boolean leads = name.startsWith("/") || Stream.of(name.split("/", -1))
                .anyMatch(part -> part.isEmpty() || part.equals(".") || part.equals("..") || part.startsWith(".wh."));
        if (leads || !name.matches("[\\x20-\\x7e]{1," + NAME_LIMIT + "}")) {
            throw new RuntimeFault(Kind.DATA_LOSS, "read artifact: the file of blob " + blob.digest() + " has a name that is"
                    + " not a plain relative path of at most " + NAME_LIMIT + " characters");
        }
        return name;
    }

    /** The archive's digest; reads all blobs. */
    Digest digest() {
        var hash = Digest.newHash("sha256");
        try (InputStream in = open()) {
            byte[] buffer = new byte[128 * 1024];
            for (int count = in.read(buffer); count >= 0; count = in.read(buffer)) {
                hash.update(buffer, 0, count);
            }
        } catch (IOException e) {
            throw RuntimeFault.internal("read artifact: " + RuntimeFault.reason(e), e);
        }
        return Digest.ofHash("sha256", hash.digest());
    }

    /** The archive; the caller closes it. */
    InputStream open() {
        Iterator<Descriptor> blobs = artifact.layers().iterator();
        return new SequenceInputStream(new Enumeration<>() {
            private boolean ended;

            @Override
            public boolean hasMoreElements() {
                return blobs.hasNext() || !ended;
            }

            @Override
            public InputStream nextElement() {
                if (blobs.hasNext()) {
                    return member(blobs.next());
                }
                ended = true;
                return new ByteArrayInputStream(new byte[2 * BLOCK]);
            }
        });
    }

    private InputStream member(Descriptor blob) {
        TarArchiveEntry entry = new TarArchiveEntry(name(blob));
        entry.setSize(blob.sizeBytes());
        entry.setMode(0644);
        entry.setIds(0, 0);
        entry.setModTime(0);
        byte[] header = new byte[BLOCK];
        try {
            // With numbers in GNU's form, so that files above 8 GiB need no further header.
            entry.writeEntryHeader(header, org.apache.commons.compress.archivers.zip.ZipEncodingHelper
                    .getZipEncoding(StandardCharsets.US_ASCII.name()), true);
        } catch (IOException e) {
            throw RuntimeFault.internal("read artifact: " + RuntimeFault.reason(e), e);
        }
        return new SequenceInputStream(Collections.enumeration(List.of(new ByteArrayInputStream(header),
                content.open(blob.digest()), new ByteArrayInputStream(new byte[(int) (-blob.sizeBytes() & (BLOCK - 1))]))));
    }
}
