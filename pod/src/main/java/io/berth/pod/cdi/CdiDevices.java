package io.berth.pod.cdi;

import io.berth.base.RuntimeFault;
import io.berth.cri.v1.CDIDevice;
import io.berth.cri.v1.ContainerConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import tools.jackson.databind.node.ObjectNode;

/**
 * Finds the devices that a container asks for and adds what they need. Files are read when a container asks for a device: a
 * driver that was just installed works at once. Thread-safe.
 *
 * @param directories those later in the list win
 */
public record CdiDevices(List<Path> directories) {

    /** Where vendors put their files, as the specification says. */
    public static final List<Path> DEFAULT_DIRECTORIES = List.of(Path.of("/etc/cdi"), Path.of("/var/run/cdi"));

    private static final String ANNOTATION_PREFIX = "cdi.k8s.io/";

    /**
     * Changes {@code spec} for all devices of {@code config}, those named by annotations (the way of older device plugins)
     * included.
     *
     * @throws RuntimeFault FAILED_PRECONDITION naming the devices that no file describes
     */
    public void inject(ContainerConfig config, ObjectNode spec) {
        Set<CdiDevice> wanted = wanted(config);
        if (wanted.isEmpty()) {
            return;
        }
        List<RuntimeFault> unreadable = new ArrayList<>();
        List<List<CdiSpecFile>> levels = directories.stream().map(directory -> files(directory, unreadable)).toList();
        List<CdiDevice> missing = new ArrayList<>();
        Set<CdiSpecFile> used = new LinkedHashSet<>();
        ContainerEdits edits = new ContainerEdits(spec);
        for (CdiDevice device : wanted) {
            List<CdiSpecFile> found = find(levels, device);
            if (found.isEmpty()) {
                missing.add(device);
            } else if (found.size() > 1) {
                throw RuntimeFault.precondition("add CDI device " + device + ": " + found.get(0).file() + " and "
                        + found.get(1).file() + " both describe it: remove one");
            } else {
                edits.apply(found.getFirst().devices().get(device.name()));
                used.add(found.getFirst());
            }
        }
        if (!missing.isEmpty()) {
            throw RuntimeFault.precondition("add CDI devices " + missing + ": no file in " + directories
                    + " describes them: is the vendor's driver installed?"
                    + (unreadable.isEmpty() ? "" : "; also: " + unreadable.getFirst().getMessage()));
        }
        used.forEach(file -> edits.apply(file.common()));
    }

    private static Set<CdiDevice> wanted(ContainerConfig config) {
        Set<CdiDevice> wanted = new LinkedHashSet<>();
        config.getCDIDevicesList().stream().map(CDIDevice::getName).map(CdiDevice::parse).forEach(wanted::add);
        config.getAnnotationsMap().forEach((key, value) -> {
            if (key.startsWith(ANNOTATION_PREFIX)) {
                Stream.of(value.split(",")).map(CdiDevice::parse).forEach(wanted::add);
            }
        });
        return wanted;
    }

    private static List<CdiSpecFile> find(List<List<CdiSpecFile>> levels, CdiDevice device) {
        for (List<CdiSpecFile> level : levels.reversed()) {
            List<CdiSpecFile> found = level.stream().filter(file -> file.kind().equals(device.kind())
                    && file.devices().containsKey(device.name())).toList();
            if (!found.isEmpty()) {
                return found;
            }
        }
        return List.of();
    }

    // A broken file of one vendor must not keep the devices of another away.
    private static List<CdiSpecFile> files(Path directory, List<RuntimeFault> unreadable) {
        if (!Files.isDirectory(directory)) {
            return List.of();
        }
        List<CdiSpecFile> files = new ArrayList<>();
        try (Stream<Path> entries = Files.list(directory)) {
            entries.filter(entry -> entry.toString().matches(".*\\.(json|yaml|yml)")).sorted().forEach(entry -> {
                try {
                    files.add(CdiSpecFile.read(entry));
                } catch (RuntimeFault fault) {
                    unreadable.add(fault);
                }
            });
        } catch (IOException e) {
            throw RuntimeFault.internal("list " + directory + ": " + RuntimeFault.reason(e), e);
        }
        return files;
    }
}
