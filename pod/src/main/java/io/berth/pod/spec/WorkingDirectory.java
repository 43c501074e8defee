package io.berth.pod.spec;

import io.berth.base.RuntimeFault;
import java.nio.file.Path;
import java.util.regex.Pattern;

/**
 * Where a container's process starts: the request's directory, or the image's.
 *
 * <p>A directory behind a descriptor or a link of a process ({@code /proc/self/fd/7}) is refused: the runtime goes there
 * while it may still hold descriptors of the node, and the container would be out (CVE-2024-21626). A link in the image that
 * leads there is not seen here; against that no descriptor of Berth is open in the programs that it starts.
 */
final class WorkingDirectory {

    private static final Pattern OF_A_PROCESS =
            Pattern.compile("/dev/fd(/.*)?|/proc/[^/]+/(task/[^/]+/)?(fd|cwd|root|exe|map_files|ns)(/.*)?");

    private WorkingDirectory() {}

    /**
     * The absolute path for the specification; the root where none is named. An image may name it without the slash.
     *
     * @param container the name that an error tells
     * @throws RuntimeFault INVALID_ARGUMENT for one behind a process, or with a zero byte
     */
    static String of(String container, String named) {
        String directory = named.startsWith("/") ? named : "/" + named;
        if (directory.indexOf('\0') >= 0) {
            throw RuntimeFault.invalid("create container " + container + ": the working directory has a zero byte in it");
        }
        if (passesAProcess(Path.of(directory))) {
            throw RuntimeFault.invalid("create container " + container + ": working directory " + directory
                    + " is behind a descriptor or a link of a process: name a directory of the image");
        }
        return directory;
    }

    // Part by part: behind such a link the kernel's ".." leads elsewhere than the text's.
    private static boolean passesAProcess(Path directory) {
        Path way = Path.of("/");
        for (Path part : directory) {
            way = way.resolve(part).normalize();
            if (OF_A_PROCESS.matcher(way.toString()).matches()) {
                return true;
            }
        }
        return false;
    }
}
