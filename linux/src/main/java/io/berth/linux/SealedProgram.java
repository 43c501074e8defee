package io.berth.linux;

import io.berth.base.RuntimeFault;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;

/**
 * A program's copy in memory that nobody can change any more, to be run in the program's place. A runtime that finds itself
 * run from such a copy does not make one of its own at each start, as crun does lest a container writes to it. A program
 * that was replaced is copied anew. Thread-safe; the copy lives as long as this process. Source: memfd_create(2), fcntl(2).
 */
public final class SealedProgram {

    private static final int MFD_CLOEXEC = 1;
    private static final int MFD_ALLOW_SEALING = 2;
    /** Since Linux 6.3; before, what is made in memory may always be run. */
    private static final int MFD_EXEC = 0x10;
    private static final int F_ADD_SEALS = 1033;
    /** Against more seals, shrinking, growing and writing. */
    private static final int ALL_SEALS = 0xf;

    /** What a file is told by; never closed, a process may be about to be started from it. */
    private record Copy(Map<String, Object> attributes, Path path) {}

    private final Path program;
    private volatile Optional<Copy> copy = Optional.empty();

    public SealedProgram(Path program) {
        this.program = program;
    }

    /** What to run: the copy, or the program itself where memory cannot be run or the program cannot be read. */
    public Path path() {
        try {
            Map<String, Object> now = Files.readAttributes(program, "unix:ino,dev,size,lastModifiedTime");
            return copy.filter(made -> made.attributes.equals(now)).map(Copy::path).orElseGet(() -> renew(now));
        } catch (IOException unreadable) {
            return program;
        }
    }

    private synchronized Path renew(Map<String, Object> now) {
        Copy made = copy.filter(other -> other.attributes.equals(now)).orElseGet(() -> new Copy(now, made()));
        copy = Optional.of(made);
        return made.path;
    }

    private Path made() {
        try {
            byte[] content = Files.readAllBytes(program);
            try (Fd memory = inMemory()) {
                memory.write(content, 0, content.length);
                Kernel.check(Kernel.tryCall(SystemCall.FCNTL, memory.number(), F_ADD_SEALS, ALL_SEALS, 0), "seal", program);
                // What somebody has open for writing cannot be run.
                Fd sealed = Fd.openReadOnly(memory.procPath());
                Path path = Path.of("/proc/" + ProcessHandle.current().pid() + "/fd/" + sealed.number());
                if (Files.isExecutable(path)) {
                    return path;
                }
                sealed.close();
            }
        } catch (IOException | RuntimeFault impossible) {
            // The program does for itself what this would have saved it.
            return program;
        }
        return program;
    }

    private Fd inMemory() {
        try (Arena arena = Arena.ofConfined()) {
            long name = arena.allocateFrom(program.getFileName().toString()).address();
            long made = Kernel.tryCall(SystemCall.MEMFD_CREATE, name, MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_EXEC);
            if (made == -Errno.EINVAL) {
                made = Kernel.tryCall(SystemCall.MEMFD_CREATE, name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
            }
            return new Fd((int) Kernel.check(made, "copy to memory", program));
        }
    }
}
