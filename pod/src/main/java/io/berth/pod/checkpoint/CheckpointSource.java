package io.berth.pod.checkpoint;

import io.berth.base.RuntimeFault;
import io.berth.linux.Fd;
import io.berth.linux.Inodes;
import io.berth.linux.RootedPath;
import io.berth.linux.SystemCallFault;
import io.berth.snapshot.ArchiveFiles;
import io.berth.snapshot.UnpackLimits;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Set;

/**
 * Where the files of a checkpoint come from. Hostile: only files of the names that a checkpoint has are given out, each name
 * without a way to anywhere, and only what is a plain file.
 */
public sealed interface CheckpointSource {

    /** The files beside {@code checkpoint/}; what else a peer adds is of no use here. */
    Set<String> FILES = Set.of(CheckpointArchive.CONFIG, CheckpointArchive.SPEC, CheckpointArchive.DELETED,
            CheckpointArchive.CHANGES, CheckpointArchive.LOG, CheckpointArchive.CRIO_LOG);

    /**
     * Takes one file after the other.
     */
    @FunctionalInterface
    interface Visitor {

        /** @param name one of {@link #FILES}, or {@code checkpoint/} and a name */
        void file(String name, long sizeBytes, InputStream content) throws IOException;
    }

    /**
     * Reads all files, in any order.
     *
     * @throws RuntimeFault DATA_LOSS, RESOURCE_EXHAUSTED or UNSUPPORTED for hostile bytes, else what {@code visitor} throws
     */
    void files(Visitor visitor);

    /** How messages name it. */
    String shown();

    /** Whether a checkpoint has a file of this name. */
    private static boolean isWanted(String name) {
        return FILES.contains(name) || name.matches("checkpoint/[A-Za-z0-9_][A-Za-z0-9_.-]{0,200}");
    }

    /** An archive as CheckpointContainer writes it. Only what root alone can write is read: {@link #requireTrusted}. */
    record Archive(Path path) implements CheckpointSource {

        private static final UnpackLimits LIMITS = new UnpackLimits(200_000, 512L << 30, 4095, 64, 1 << 20, 600, 2L << 30,
                Duration.ofHours(1));
        private static final int WRITABLE_BY_OTHERS = 0022;

        @Override
        public String shown() {
            return path.toString();
        }

        @Override
        public void files(Visitor visitor) {
            try (Fd file = Fd.openReadOnly(path)) {
                requireTrusted(file);
                try (InputStream in = new BufferedInputStream(Files.newInputStream(file.procPath()), 1 << 17)) {
                    ArchiveFiles.read(in, LIMITS, (name, size, content) -> {
                        String plain = name.replaceFirst("^(\\./+|/+)+", "");
                        if (isWanted(plain)) {
                            visitor.file(plain, size, content);
                        }
                    });
                }
            } catch (SystemCallFault e) {
                throw RuntimeFault.notFound("read checkpoint " + path + ": " + RuntimeFault.reason(e));
            } catch (IOException e) {
                throw RuntimeFault.internal("read checkpoint " + path + ": " + RuntimeFault.reason(e), e);
            } catch (RuntimeFault e) {
                throw RuntimeFault.during("read checkpoint " + path, e);
            }
        }

        // What is in it runs with the rights that the request gives: nobody else may choose it.
        private void requireTrusted(Fd file) {
            Inodes.Status status = Inodes.status(file);
            if (status.type() != Inodes.REGULAR || status.uid() != 0 || (status.mode() & WRITABLE_BY_OTHERS) != 0) {
                throw new RuntimeFault(RuntimeFault.Kind.PERMISSION_DENIED, "it must be a file that belongs to root and that"
                        + " nobody else can write: chown root and chmod 600 it, if you trust it");
            }
        }
    }

    /**
     * The unpacked layer of an image that holds a checkpoint's files.
     *
     * @param directory the layer
     * @param shown the image's name
     */
    record Layer(Path directory, String shown) implements CheckpointSource {

        @Override
        public void files(Visitor visitor) {
            try (Fd root = Fd.openDirectory(directory)) {
                for (String name : FILES) {
                    visit(root, name, visitor);
                }
                for (String name : images(root)) {
                    visit(root, name, visitor);
                }
            } catch (IOException e) {
                throw RuntimeFault.internal("read checkpoint " + shown + ": " + RuntimeFault.reason(e), e);
            } catch (RuntimeFault e) {
                throw RuntimeFault.during("read checkpoint " + shown, e);
            }
        }

        private static List<String> images(Fd root) throws IOException {
            try (Fd images = RootedPath.openDirectory(root, Inodes.name("checkpoint"), RootedPath.Escape.IS_REFUSED);
                    DirectoryStream<Path> entries = Files.newDirectoryStream(images.procPath())) {
                List<String> names = new java.util.ArrayList<>();
                entries.forEach(entry -> names.add("checkpoint/" + entry.getFileName()));
                return names.stream().filter(CheckpointSource::isWanted).sorted().toList();
            } catch (SystemCallFault none) {
                return List.of();
            }
        }

        private static void visit(Fd root, String name, Visitor visitor) throws IOException {
            try (Fd file = RootedPath.openReadOnly(root, name)) {
                Inodes.Status status = Inodes.status(file);
                if (status.type() != Inodes.REGULAR) {
                    throw RuntimeFault.unsupported(name + " is no plain file");
                }
                try (InputStream content = Files.newInputStream(file.procPath())) {
                    visitor.file(name, status.sizeBytes(), content);
                }
            } catch (SystemCallFault none) {
                // A checkpoint need not have all of them; whoever needs one says so.
                return;
            }
        }
    }
}
