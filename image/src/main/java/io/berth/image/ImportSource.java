package io.berth.image;

import io.berth.base.Digest;
import io.berth.base.RuntimeFault;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.Optional;

/** The files of an image layout or archive by their name in it, such as {@code blobs/sha256/…}. Closed by its owner. */
interface ImportSource extends AutoCloseable {

    /** The regular file of that name; the path is readable until this is closed. */
    Optional<Path> file(String name);

    @Override
    void close();

    /** The bytes of a small file. */
    default Optional<byte[]> bytes(String name, int limit) {
        return file(name).map(path -> {
            try (InputStream in = Files.newInputStream(path, LinkOption.NOFOLLOW_LINKS)) {
                byte[] bytes = in.readNBytes(limit + 1);
                if (bytes.length > limit) {
                    throw new RuntimeFault(RuntimeFault.Kind.DATA_LOSS,
                            "import image: " + name + " is larger than the limit of " + limit + " bytes");
                }
                return bytes;
            } catch (IOException e) {
                throw ContentStore.fault("import image: read", name, e);
            }
        });
    }

    /** The blob's file. */
    default Optional<Path> blob(Digest digest) {
        return file("blobs/" + digest.algorithm() + "/" + digest.hex());
    }

    /** A layout that is a directory. Its own symbolic links are not followed. */
    record Directory(Path root) implements ImportSource {
        @Override
        public Optional<Path> file(String name) {
            Path at = root;
            for (String part : name.split("/")) {
                if (part.isEmpty() || part.equals(".") || part.equals("..") || Files.isSymbolicLink(at.resolve(part))) {
                    return Optional.empty();
                }
                at = at.resolve(part);
            }
            return Files.isRegularFile(at, LinkOption.NOFOLLOW_LINKS) ? Optional.of(at) : Optional.empty();
        }

        @Override
        public void close() {}
    }
}
