package io.berth.cli.copy;

import io.berth.base.RuntimeFault;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermission;
import java.util.EnumSet;
import java.util.Set;
import java.util.function.Consumer;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;

/**
 * Writes what a container's tar sent to this machine. The container may be hostile, and this runs as root: only directories
 * and plain files are made, only below the target, never through a link, and without owners and special bits.
 *
 * @param skipped told of each thing that was left out, with the reason
 */
public record ReadArchive(Consumer<String> skipped) {

    private static final int PERMISSION_BITS = 0777;

    /**
     * Reads to the end.
     *
     * @param name the name under which the container's tar packed the thing
     * @param target what the thing is to be called here
     * @return how many files were written
     */
    public int read(InputStream archive, String name, Path target) {
        try (TarArchiveInputStream tar = new TarArchiveInputStream(archive)) {
            int files = 0;
            for (TarArchiveEntry entry = tar.getNextEntry(); entry != null; entry = tar.getNextEntry()) {
                Path place = place(entry.getName(), name, target);
                if (place == null) {
                    skipped.accept(entry.getName() + ": it is not below what was asked for");
                } else if (entry.isDirectory()) {
                    makeDirectory(place, target);
                } else if (isPlain(entry)) {
                    write(tar, place, target, entry.getMode());
                    files++;
                } else {
                    skipped.accept(entry.getName() + ": links, devices and pipes are not copied");
                }
            }
            return files;
        } catch (IOException e) {
            throw RuntimeFault.during("copy to " + target, e);
        }
    }

    // The library calls everything a file that it does not know better.
    private static boolean isPlain(TarArchiveEntry entry) {
        return entry.isFile() && !entry.isLink() && !entry.isSymbolicLink() && !entry.isFIFO() && !entry.isCharacterDevice()
                && !entry.isBlockDevice();
    }

    /** Where an entry goes; null when that is not at or below the target. */
    static Path place(String entry, String name, Path target) {
        String clean = entry.replaceFirst("^(\\./)+", "").replaceFirst("/+$", "");
        if (clean.equals(name)) {
            return target;
        }
        if (!clean.startsWith(name + "/")) {
            return null;
        }
        Path place = target.resolve(clean.substring(name.length() + 1)).normalize();
        return place.startsWith(target) && !place.equals(target) ? place : null;
    }

    private void makeDirectory(Path place, Path target) throws IOException {
        for (Path each = target; ;
                each = each.resolve(target.relativize(place).getName(each.getNameCount() - target.getNameCount()))) {
            if (!Files.isDirectory(each, LinkOption.NOFOLLOW_LINKS)) {
                try {
                    Files.createDirectory(each);
                } catch (FileAlreadyExistsException other) {
                    throw RuntimeFault.precondition("copy to " + each + ": something that is not a directory is there");
                }
            }
            if (each.equals(place)) {
                return;
            }
        }
    }

    private void write(InputStream content, Path place, Path target, int mode) throws IOException {
        if (!place.equals(target)) {
            makeDirectory(place.getParent(), target);
        }
        Path beside = Files.createTempFile(place.toAbsolutePath().getParent(), ".berth-cp-", "");
        try {
            Files.copy(content, beside, StandardCopyOption.REPLACE_EXISTING);
            Files.setPosixFilePermissions(beside, permissions(mode & PERMISSION_BITS));
            Files.move(beside, place, StandardCopyOption.ATOMIC_MOVE);
        } finally {
            Files.deleteIfExists(beside);
        }
    }

    private static Set<PosixFilePermission> permissions(int mode) {
        Set<PosixFilePermission> permissions = EnumSet.noneOf(PosixFilePermission.class);
        for (PosixFilePermission each : PosixFilePermission.values()) {
            if ((mode & 0400 >> each.ordinal()) != 0) {
                permissions.add(each);
            }
        }
        return permissions;
    }
}
