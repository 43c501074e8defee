package io.berth.network.cni;

import io.berth.base.RuntimeFault;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/**
 * The networks of a configuration directory: the first valid files in the order of their names. Thread-safe. A look costs
 * one listing and a stat for each file; files are read again only when a name, size or time has changed. There is no
 * watching, so a directory that appears later, or is replaced by a mount, is seen too.
 */
final class CniConfigurationDirectory {

    private static final Set<String> ENDINGS = Set.of("conflist", "conf", "json");

    /**
     * What a directory holds.
     *
     * @param networks the valid configurations, in order, as many as are wanted
     * @param problems why other files were passed over
     */
    record Content(List<CniConfiguration> networks, List<String> problems) {}

    private record Stamp(Path file, long size, FileTime changed) {}

    private final Path directory;
    private final int limit;
    private List<Stamp> seen = List.of();
    private Content content;

    CniConfigurationDirectory(Path directory, int limit) {
        this.directory = directory;
        this.limit = limit;
        this.content = new Content(List.of(), List.of());
    }

    /** The content as it is now. */
    synchronized Content current() {
        List<Stamp> now;
        try {
            now = stamps();
        } catch (NoSuchFileException | NotDirectoryException e) {
            now = List.of();
        } catch (IOException e) {
            return new Content(List.of(), List.of(directory + ": " + RuntimeFault.reason(e)));
        }
        if (!now.equals(seen)) {
            content = read(now);
            seen = now;
        }
        return content;
    }

    /** Has the next look read all files. */
    synchronized void forget() {
        seen = List.of();
        content = new Content(List.of(), List.of());
    }

    private List<Stamp> stamps() throws IOException {
        List<Stamp> found = new ArrayList<>();
        try (var files = Files.newDirectoryStream(directory, CniConfigurationDirectory::isConfiguration)) {
            for (Path file : files) {
                try {
                    BasicFileAttributes attributes = Files.readAttributes(file, BasicFileAttributes.class);
                    if (attributes.isRegularFile()) {
                        found.add(new Stamp(file, attributes.size(), attributes.lastModifiedTime()));
                    }
                } catch (NoSuchFileException gone) {
                    // Removed while we looked, or a link to nothing.
                }
            }
        }
        found.sort((a, b) -> a.file.getFileName().toString().compareTo(b.file.getFileName().toString()));
        return found;
    }

    private static boolean isConfiguration(Path file) {
        String name = file.getFileName().toString();
        return ENDINGS.contains(name.substring(name.lastIndexOf('.') + 1)) && name.contains(".");
    }

    private Content read(List<Stamp> files) {
        List<CniConfiguration> networks = new ArrayList<>();
        List<String> problems = new ArrayList<>();
        for (Stamp one : files) {
            if (networks.size() == limit) {
                break;
            }
            try {
                networks.add(CniConfiguration.parse(Files.readString(one.file)));
            } catch (IOException | RuntimeFault e) {
                problems.add(one.file + ": " + RuntimeFault.reason(e));
            }
        }
        return new Content(List.copyOf(networks), List.copyOf(problems));
    }
}
