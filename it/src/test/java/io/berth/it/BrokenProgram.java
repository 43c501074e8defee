package io.berth.it;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;

/**
 * A script in front of a real program that does as it is told for one of its verbs: hangs, fails, prints garbage. All
 * other verbs reach the program.
 *
 * @param path the script
 */
record BrokenProgram(Path path) {

    /** In front of an OCI runtime: its verb is an argument. By its version it is none that Berth knows, so it is asked. */
    static BrokenProgram runtime(Path directory) {
        return write(directory.resolve("runtime"), """
                verb=none
                for word; do
                  case "$word" in --version) echo "a wrapper of runc"; exit 0;; esac
                  case "$word" in create|start|delete|exec|state|features|checkpoint) verb=$word; break;; esac
                done
                """, "exec runc \"$@\"");
    }

    /** In front of the CNI plugin bridge: its verb is in the environment. */
    static BrokenProgram plugin(Path directory) {
        return write(directory.resolve("bridge"), "verb=$CNI_COMMAND\n",
                "for each in /usr/lib/cni /opt/cni/bin; do [ ! -x $each/bridge ] || exec $each/bridge; done");
    }

    private static BrokenProgram write(Path script, String verb, String program) {
        BrokenProgram broken = new BrokenProgram(script);
        try {
            Files.createDirectories(script.getParent());
            Files.writeString(script, "#!/bin/sh\n" + verb + """
                    case "$(cat %1$s.mode) " in
                      "hang "*"$verb "*) exec sleep 987;;
                      "fail $verb ") echo "the wrapper refuses" >&2; exit 1;;
                      "garbage $verb ") head -c 300000 /dev/urandom; head -c 300000 /dev/urandom >&2; exit 0;;
                    esac
                    """.formatted(script) + program + "\n");
            Files.setPosixFilePermissions(script, PosixFilePermissions.fromString("rwxr-xr-x"));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        broken.works();
        return broken;
    }

    /** From now on, for instance {@code fail create}, or {@code hang create delete}. */
    void does(String mode) {
        try {
            // Beside and renamed: a program that starts now reads the old or the new one.
            Path beside = Files.writeString(path.resolveSibling("mode.new"), mode + "\n");
            Files.move(beside, path.resolveSibling(path.getFileName() + ".mode"), StandardCopyOption.ATOMIC_MOVE,
                    StandardCopyOption.REPLACE_EXISTING);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    void works() {
        does("works");
    }
}
