package io.berth.image;

import io.berth.base.RandomId;
import io.berth.base.RuntimeFault;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.zip.GZIPInputStream;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;

/**
 * An archive, laid out in a directory of its own for the time of the import. The names in the archive are only keys:
 * files are numbered, so that no name can lead anywhere. Links are followed within the archive alone.
 */
final class ImportArchive implements ImportSource {

    private static final int ENTRY_LIMIT = 100_000;
    private static final int NAME_LIMIT = 1024;
    private static final int LINK_DEPTH = 8;

    private final Path directory;
    private final Map<String, Path> files = new HashMap<>();
    private final Map<String, String> links = new HashMap<>();

    ImportArchive(Path archive, Path scratch, long byteLimit) {
        this.directory = scratch.resolve("import-" + RandomId.hex(8));
        boolean complete = false;
        try {
            Files.createDirectory(directory);
            try (InputStream in = decompressed(archive)) {
                read(in, byteLimit);
            }
            complete = true;
        } catch (IOException e) {
            throw new RuntimeFault(RuntimeFault.Kind.INVALID_ARGUMENT, "import image " + archive.getFileName()
                    + ": not a readable tar archive: " + RuntimeFault.reason(e), e);
        } finally {
            if (!complete) {
                close();
            }
        }
    }

    private static InputStream decompressed(Path archive) throws IOException {
        InputStream in = new BufferedInputStream(Files.newInputStream(archive), 128 * 1024);
        in.mark(4);
        int first = in.read();
        int second = in.read();
        in.reset();
        return first == 0x1f && second == 0x8b ? new GZIPInputStream(in, 64 * 1024) : in;
    }

    private void read(InputStream in, long byteLimit) throws IOException {
        TarArchiveInputStream tar = new TarArchiveInputStream(in, "UTF-8");
        long left = byteLimit;
        int count = 0;
        for (TarArchiveEntry entry = tar.getNextEntry(); entry != null; entry = tar.getNextEntry()) {
            if (++count > ENTRY_LIMIT || entry.getName().length() > NAME_LIMIT) {
                throw new IOException("too many entries or too long names");
            }
            Optional<String> name = normal("", entry.getName());
            if (name.isEmpty()) {
                throw new IOException("the name of an entry leads out of the archive");
            }
            if (entry.isSymbolicLink() || entry.isLink()) {
                String folder = name.get().contains("/") ? name.get().substring(0, name.get().lastIndexOf('/')) : "";
                normal(entry.isLink() ? "" : folder, entry.getLinkName()).ifPresent(to -> links.put(name.get(), to));
            } else if (entry.isFile() && !entry.isSparse()) {
                Path file = directory.resolve(Integer.toString(count));
                left -= copy(tar, file, left);
                files.put(name.get(), file);
            }
        }
    }

    private static long copy(InputStream in, Path file, long limit) throws IOException {
        long done = 0;
        byte[] buffer = new byte[128 * 1024];
        try (OutputStream out = Files.newOutputStream(file)) {
            for (int count = in.read(buffer); count >= 0; count = in.read(buffer)) {
                done += count;
                if (done > limit) {
                    throw new IOException("more content than the limit allows");
                }
                out.write(buffer, 0, count);
            }
        }
        return done;
    }

    /** The name without {@code .} and {@code ..}; empty when it leads out of the archive. */
    private static Optional<String> normal(String folder, String name) {
        if (name.startsWith("/") || name.indexOf('\0') >= 0) {
            return Optional.empty();
        }
        Deque<String> parts = new ArrayDeque<>();
        for (String part : (folder + "/" + name).split("/")) {
            if (part.equals("..")) {
                if (parts.pollLast() == null) {
                    return Optional.empty();
                }
            } else if (!part.isEmpty() && !part.equals(".")) {
                parts.addLast(part);
            }
        }
        return Optional.of(String.join("/", parts));
    }

    @Override
    public Optional<Path> file(String name) {
        String at = normal("", name).orElse("");
        for (int depth = 0; depth < LINK_DEPTH; depth++) {
            Path file = files.get(at);
            if (file != null) {
                return Optional.of(file);
            }
            at = links.getOrDefault(at, "");
        }
        return Optional.empty();
    }

    @Override
    public void close() {
        remove(directory);
    }

    /** Removes a scratch directory, which has only files in it. */
    static void remove(Path directory) {
        try (var paths = Files.list(directory)) {
            for (Path path : List.copyOf(paths.toList())) {
                Files.deleteIfExists(path);
            }
            Files.deleteIfExists(directory);
        } catch (IOException e) {
            throw ContentStore.fault("remove", directory, e);
        }
    }
}
