package io.berth.image;

import io.berth.base.Digest;
import io.berth.base.FileAge;
import io.berth.base.KeyedLocks;
import io.berth.base.RuntimeFault;
import java.io.IOException;
import java.io.InputStream;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.FileVisitResult;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Blobs by digest in an OCI image layout: {@code oci-layout}, {@code index.json}, {@code blobs/sha256/<hex>}, and
 * {@code ingest/} for what is not whole yet. A blob appears only when its bytes are on the disk and have its digest.
 *
 * <p>Thread-safe; calls block on the disk. One writer for each digest at a time: another one waits and finds the blob.
 * Failures of the disk have kind INTERNAL, or RESOURCE_EXHAUSTED when it is full. Source: OCI image-spec,
 * image-layout.md.
 */
public final class ContentStore {

    private static final int BLOCK = 4096;

    private final Path directory;
    private final Path ingest;
    private final KeyedLocks<Digest> writers = new KeyedLocks<>();
    private final Map<Digest, Integer> holds = new HashMap<>();

    /** Bytes on the disk, and files with directories. */
    public record Usage(long bytes, long files) {}

    /**
     * Keeps blobs from being deleted until it is closed. Not thread-safe.
     */
    public final class Hold implements AutoCloseable {
        private final List<Digest> held = new ArrayList<>();

        private Hold() {}

        /** Holds {@code blob} as well, whether it is there yet or not. */
        public synchronized void add(Digest blob) {
            synchronized (holds) {
                holds.merge(blob, 1, Integer::sum);
            }
            held.add(blob);
        }

        @Override
        public synchronized void close() {
            synchronized (holds) {
                held.forEach(blob -> holds.computeIfPresent(blob, (d, count) -> count == 1 ? null : count - 1));
            }
            held.clear();
        }
    }

    /** Opens the store in {@code directory}, which is made where it is missing. */
    public ContentStore(Path directory) {
        this.directory = directory;
        this.ingest = directory.resolve("ingest");
        try {
            var onlyOwner = PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------"));
            Files.createDirectories(directory, onlyOwner);
            Files.createDirectories(directory.resolve("blobs/sha256"));
            Files.createDirectories(ingest);
            Path layout = directory.resolve("oci-layout");
            if (!Files.exists(layout)) {
                replace(layout, "{\"imageLayoutVersion\":\"1.0.0\"}".getBytes(StandardCharsets.UTF_8));
            }
        } catch (IOException e) {
            throw fault("open content store", directory, e);
        }
    }

    /** The OCI image layout itself. */
    public Path directory() {
        return directory;
    }

    Path ingestDirectory() {
        return ingest;
    }

    /** Where the blob is, or would be. */
    public Path path(Digest blob) {
        return directory.resolve("blobs").resolve(blob.algorithm()).resolve(blob.hex());
    }

    /** Whether the blob is there, whole. */
    public boolean has(Digest blob) {
        return Files.isRegularFile(path(blob));
    }

    /** Bytes of the blob; a fault of kind NOT_FOUND where it is missing. */
    public long size(Digest blob) {
        try {
            return Files.size(path(blob));
        } catch (IOException e) {
            throw fault("read blob", blob, e);
        }
    }

    /** Opens the blob; the caller closes it. The bytes are not verified again. */
    public InputStream open(Digest blob) {
        try {
            return Files.newInputStream(path(blob));
        } catch (IOException e) {
            throw fault("read blob", blob, e);
        }
    }

    /** The bytes of a small blob, verified: kind DATA_LOSS when they do not have the digest any more. */
    public byte[] read(Digest blob, int limit) {
        try (InputStream in = Files.newInputStream(path(blob))) {
            byte[] bytes = in.readNBytes(limit + 1);
            if (bytes.length > limit) {
                throw new RuntimeFault(RuntimeFault.Kind.DATA_LOSS,
                        "read blob " + blob + ": larger than the limit of " + limit + " bytes");
            }
            Digest found = Digest.ofHash(blob.algorithm(), Digest.newHash(blob.algorithm()).digest(bytes));
            if (!found.equals(blob)) {
                throw new RuntimeFault(RuntimeFault.Kind.DATA_LOSS, "read blob " + blob + ": the file has digest " + found
                        + ": remove the image and pull it again");
            }
            return bytes;
        } catch (IOException e) {
            throw fault("read blob", blob, e);
        }
    }

    /** Whether the blob is there and its bytes have its digest; reads all of it. */
    boolean isSound(Digest blob) {
        var hash = Digest.newHash(blob.algorithm());
        try (InputStream in = Files.newInputStream(path(blob))) {
            byte[] buffer = new byte[128 * 1024];
            for (int count = in.read(buffer); count >= 0; count = in.read(buffer)) {
                hash.update(buffer, 0, count);
            }
            return Digest.ofHash(blob.algorithm(), hash.digest()).equals(blob);
        } catch (IOException e) {
            return false;
        }
    }

    /** Keeps blobs from being deleted; the caller closes it. */
    public Hold hold() {
        return new Hold();
    }

    /**
     * Removes a blob that nobody holds.
     *
     * @return whether it is gone (also when it never was there)
     */
    public boolean delete(Digest blob) {
        synchronized (holds) {
            if (holds.containsKey(blob)) {
                return false;
            }
            try {
                Files.deleteIfExists(path(blob));
                return true;
            } catch (IOException e) {
                throw fault("remove blob", blob, e);
            }
        }
    }

    /** Removes a blob that has turned out not to have its digest, held or not. */
    void discard(Digest blob) {
        try {
            Files.deleteIfExists(path(blob));
        } catch (IOException e) {
            throw fault("remove blob", blob, e);
        }
    }

    /**
     * Begins or continues to write a blob; waits for another writer of the same one. Check {@link Ingest#present()}
     * first. The caller closes it on the same thread.
     *
     * @param sizeBytes what the blob must have
     */
    public Ingest ingest(Digest blob, long sizeBytes) {
        var lock = writers.lock(blob);
        try {
            return new Ingest(this, blob, sizeBytes, lock);
        } catch (IOException e) {
            lock.close();
            throw fault("write blob", blob, e);
        } catch (RuntimeException e) {
            lock.close();
            throw e;
        }
    }

    /** Writes a small blob and returns its digest. */
    public Digest put(byte[] bytes) {
        Digest digest = Digest.ofBytes(bytes);
        put(digest, bytes);
        return digest;
    }

    /** Writes a small blob that must have the given digest. */
    public void put(Digest digest, byte[] bytes) {
        try (Ingest writing = ingest(digest, bytes.length)) {
            if (!writing.present()) {
                writing.restart();
                writing.write(bytes, 0, bytes.length);
                writing.commit();
            }
        }
    }

    /** All blobs. */
    public List<Digest> blobs() {
        List<Digest> found = new ArrayList<>();
        for (String algorithm : List.of("sha256", "sha512")) {
            Path folder = directory.resolve("blobs").resolve(algorithm);
            try (DirectoryStream<Path> files = Files.newDirectoryStream(folder)) {
                for (Path file : files) {
                    String text = algorithm + ":" + file.getFileName();
                    if (Digest.isDigest(text)) {
                        found.add(Digest.parse(text));
                    }
                }
            } catch (NoSuchFileException e) {
                // No blob has this algorithm.
                continue;
            } catch (IOException e) {
                throw fault("list blobs", directory, e);
            }
        }
        return found;
    }

    /** What the store takes on the disk, with partial blobs and directories. */
    public Usage usage() {
        return usage(directory);
    }

    static Usage usage(Path top) {
        long[] sums = new long[2];
        try {
            Files.walkFileTree(top, new SimpleFileVisitor<>() {
                @Override
                public FileVisitResult preVisitDirectory(Path folder, BasicFileAttributes found) {
                    return count(found);
                }

                @Override
                public FileVisitResult visitFile(Path file, BasicFileAttributes found) {
                    return count(found);
                }

                @Override
                public FileVisitResult visitFileFailed(Path file, IOException gone) {
                    // It was removed while we counted.
                    return FileVisitResult.CONTINUE;
                }

                private FileVisitResult count(BasicFileAttributes found) {
                    sums[0] += (found.size() + BLOCK - 1) / BLOCK * BLOCK;
                    sums[1]++;
                    return FileVisitResult.CONTINUE;
                }
            });
        } catch (IOException e) {
            throw fault("count files of", top, e);
        }
        return new Usage(sums[0], sums[1]);
    }

    /** Whether the blob was written {@code age} ago or longer, or is gone. */
    boolean isOlder(Digest blob, Duration age) {
        try {
            return FileAge.isOlder(path(blob), age);
        } catch (IOException gone) {
            return true;
        }
    }

    /** Removes partial blobs that nobody has continued for {@code age}. */
    public void removeStalePartials(Duration age) {
        try (DirectoryStream<Path> files = Files.newDirectoryStream(ingest)) {
            for (Path file : files) {
                if (Files.isRegularFile(file) && FileAge.isOlder(file, age)) {
                    Files.deleteIfExists(file);
                }
            }
        } catch (IOException e) {
            throw fault("remove partial blobs in", ingest, e);
        }
    }

    /** Writes {@code file} beside itself, waits for the disk, and renames. */
    static void replace(Path file, byte[] bytes) throws IOException {
        Path beside = file.resolveSibling("." + file.getFileName() + ".new");
        try (FileChannel out = FileChannel.open(beside, StandardOpenOption.CREATE, StandardOpenOption.WRITE,
                StandardOpenOption.TRUNCATE_EXISTING)) {
            var buffer = java.nio.ByteBuffer.wrap(bytes);
            while (buffer.hasRemaining()) {
                out.write(buffer);
            }
            out.force(true);
        }
        Files.move(beside, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        syncDirectory(file.getParent());
    }

    static void syncDirectory(Path folder) throws IOException {
        try (FileChannel opened = FileChannel.open(folder, StandardOpenOption.READ)) {
            opened.force(true);
        }
    }

    static RuntimeFault fault(String action, Object object, IOException cause) {
        String reason = RuntimeFault.reason(cause);
        RuntimeFault.Kind kind = switch (cause) {
            case NoSuchFileException e -> RuntimeFault.Kind.NOT_FOUND;
            case FileAlreadyExistsException e -> RuntimeFault.Kind.ALREADY_EXISTS;
            default -> reason.contains("No space left") || reason.contains("quota")
                    ? RuntimeFault.Kind.RESOURCE_EXHAUSTED : RuntimeFault.Kind.INTERNAL;
        };
        String cure = kind == RuntimeFault.Kind.RESOURCE_EXHAUSTED ? ": remove unused images or enlarge the disk" : "";
        return new RuntimeFault(kind, action + " " + object + ": "
                + (cause instanceof NoSuchFileException ? "no such file" : reason) + cure, cause);
    }
}
