package io.berth.pod.ocihook;

import io.berth.base.RuntimeFault;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Stream;
import tools.jackson.databind.node.ObjectNode;

/**
 * Adds the hooks that the operator's files name for a container. Files are read for each container: a change needs no
 * restart. Thread-safe.
 *
 * @param directories those later in the list win: a file hides those of the same name before it. They need not exist, a
 *     package may bring one later
 */
public record OciHooks(List<Path> directories) {

    /**
     * Adds the hooks whose conditions all hold for a container, in the order of the files' names.
     *
     * @param annotations the pod's and the container's
     * @param bindMounts whether the client asks for anything of the host's to be mounted
     * @param spec the container's specification, with its process
     * @throws RuntimeFault FAILED_PRECONDITION for a file that is not right, whether it is meant for this container or not:
     *     what it wanted is not known, and a hook may be what makes a container safe to run
     */
    public void inject(Map<String, String> annotations, boolean bindMounts, ObjectNode spec) {
        if (directories.isEmpty()) {
            return;
        }
        String command = spec.path("process").path("args").path(0).asString("");
        for (HookFile file : files().stream().map(HookFile::read).toList()) {
            if (file.conditions().hold(annotations, command, bindMounts)) {
                file.inject(spec);
            }
        }
    }

    private List<Path> files() {
        Map<String, Path> byName = new HashMap<>();
        directories.stream().filter(Files::isDirectory).forEach(directory -> {
            try (Stream<Path> entries = Files.list(directory)) {
                entries.filter(entry -> entry.toString().endsWith(".json"))
                        .forEach(entry -> byName.put(entry.getFileName().toString(), entry));
            } catch (IOException e) {
                throw RuntimeFault.precondition("list hooks directory " + directory + ": " + RuntimeFault.reason(e)
                        + ": make it readable or take it out of runtime.hooks_dir");
            }
        });
        // The capitals only decide between names that are the same without them.
        return byName.entrySet().stream().sorted(Comparator
                .comparing((Map.Entry<String, Path> entry) -> entry.getKey().toLowerCase(Locale.ROOT))
                .thenComparing(Map.Entry::getKey)).map(Map.Entry::getValue).toList();
    }
}
