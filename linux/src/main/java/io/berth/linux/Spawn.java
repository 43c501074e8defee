package io.berth.linux;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Starts programs with an exact set of descriptors, by posix_spawn(3): no shell, no helper process, no thread per child.
 *
 * <p>The child gets the descriptors that were given and no other, default signal handlers and an empty signal mask. The
 * caller owns the returned {@link ChildProcess} and must wait for it.
 */
public final class Spawn {

    private static final int F_DUPFD_CLOEXEC = 1030;
    /** Descriptors are moved to at least this number first, so that no target number is overwritten too early. */
    private static final int ABOVE_TARGETS = 64;
    private static final short SETSIGMASK = 0x08;
    private static final short SETSIGDEF = 0x04;
    private static final short SETSID = 0x80;
    private static final int STRUCT_BYTES = 512;

    private static final MethodHandle SPAWNP = Kernel.function("posix_spawnp");
    private static final MethodHandle ACTIONS_INIT = Kernel.function("posix_spawn_file_actions_init");
    private static final MethodHandle ACTIONS_DESTROY = Kernel.function("posix_spawn_file_actions_destroy");
    private static final MethodHandle ADD_DUP2 = Kernel.function("posix_spawn_file_actions_adddup2");
    private static final MethodHandle ADD_OPEN = Kernel.function("posix_spawn_file_actions_addopen");
    private static final MethodHandle ADD_CLOSE = Kernel.function("posix_spawn_file_actions_addclose");
    private static final MethodHandle ADD_CHDIR = Kernel.function("posix_spawn_file_actions_addchdir_np");
    private static final MethodHandle ADD_CLOSEFROM = Kernel.function("posix_spawn_file_actions_addclosefrom_np");
    private static final MethodHandle ATTR_INIT = Kernel.function("posix_spawnattr_init");
    private static final MethodHandle ATTR_DESTROY = Kernel.function("posix_spawnattr_destroy");
    private static final MethodHandle ATTR_FLAGS = Kernel.function("posix_spawnattr_setflags");
    private static final MethodHandle ATTR_MASK = Kernel.function("posix_spawnattr_setsigmask");
    private static final MethodHandle ATTR_DEFAULT = Kernel.function("posix_spawnattr_setsigdefault");

    private final List<String> command;
    private final Map<String, String> environment;
    private final Map<Integer, Fd> descriptors = new LinkedHashMap<>();
    private Path directory = Path.of("/");
    private boolean session;
    private boolean controlsTerminal;

    private Spawn(List<String> command, Map<String, String> environment) {
        this.command = command;
        this.environment = environment;
    }

    /** A program (an absolute path, or a name looked up in this process's PATH) with its arguments and environment. */
    public static Spawn of(List<String> command, Map<String, String> environment) {
        return new Spawn(command, environment);
    }

    /** Gives {@code descriptor} to the child as {@code number}; 0 to 2 are /dev/null unless given. */
    public Spawn descriptor(int number, Fd descriptor) {
        descriptors.put(number, descriptor);
        return this;
    }

    /** The child's working directory; {@code /} unless given. */
    public Spawn directory(Path directory) {
        this.directory = directory;
        return this;
    }

    /** Makes the child leader of a new session. */
    public Spawn newSession() {
        session = true;
        return this;
    }

    /** Makes the child leader of a new session, whose terminal this is: it gets it as its input, output and errors. */
    public Spawn controllingTerminal(Fd terminal) {
        controlsTerminal = true;
        return newSession().descriptor(0, terminal).descriptor(1, terminal).descriptor(2, terminal);
    }

    /** Starts the program; a fault when it cannot be started. */
    public ChildProcess start() {
        Map<Integer, Fd> moved = new LinkedHashMap<>();
        try (Arena arena = Arena.ofConfined()) {
            descriptors.forEach((target, fd) -> moved.put(target, aboveTargets(fd)));
            MemorySegment actions = arena.allocate(STRUCT_BYTES, 16);
            MemorySegment attributes = arena.allocate(STRUCT_BYTES, 16);
            checked(ACTIONS_INIT, actions.address(), 0, 0, 0, 0);
            checked(ATTR_INIT, attributes.address(), 0, 0, 0, 0);
            try {
                fillActions(arena, actions.address(), moved);
                fillAttributes(arena, attributes.address());
                MemorySegment pid = arena.allocate(4, 4);
                int error = Kernel.callFunction(SPAWNP, pid.address(), arena.allocateFrom(command.getFirst()).address(),
                        actions.address(), attributes.address(), strings(arena, command),
                        strings(arena, environment.entrySet().stream().map(e -> e.getKey() + "=" + e.getValue()).toList()));
                if (error != 0) {
                    throw new SystemCallFault("start", command.getFirst(), error);
                }
                return new ChildProcess(pid.get(ValueLayout.JAVA_INT, 0), command.getFirst());
            } finally {
                checked(ACTIONS_DESTROY, actions.address(), 0, 0, 0, 0);
                checked(ATTR_DESTROY, attributes.address(), 0, 0, 0, 0);
            }
        } finally {
            moved.values().forEach(Fd::close);
        }
    }

    private void fillActions(Arena arena, long actions, Map<Integer, Fd> moved) {
        long devNull = arena.allocateFrom("/dev/null").address();
        int highest = 2;
        if (controlsTerminal) {
            // A leader of a session without a terminal gets the first one that it opens.
            long terminal = arena.allocateFrom("/proc/self/fd/" + moved.get(0).number()).address();
            checked(ADD_OPEN, actions, 0, terminal, Fd.O_RDWR, 0);
        }
        for (int standard = 0; standard <= 2; standard++) {
            if (!moved.containsKey(standard)) {
                checked(ADD_OPEN, actions, standard, devNull, Fd.O_RDWR, 0);
            }
        }
        for (var entry : moved.entrySet()) {
            checked(ADD_DUP2, actions, entry.getValue().number(), entry.getKey(), 0, 0);
            highest = Math.max(highest, entry.getKey());
        }
        checked(ADD_CHDIR, actions, arena.allocateFrom(directory.toString()).address(), 0, 0, 0);
        for (int gap = 3; gap < highest; gap++) {
            if (!moved.containsKey(gap)) {
                checked(ADD_CLOSE, actions, gap, 0, 0, 0);
            }
        }
        checked(ADD_CLOSEFROM, actions, highest + 1, 0, 0, 0);
    }

    private void fillAttributes(Arena arena, long attributes) {
        MemorySegment none = arena.allocate(128, 8);
        MemorySegment all = arena.allocate(128, 8).fill((byte) 0xff);
        checked(ATTR_MASK, attributes, none.address(), 0, 0, 0);
        checked(ATTR_DEFAULT, attributes, all.address(), 0, 0, 0);
        checked(ATTR_FLAGS, attributes, SETSIGMASK | SETSIGDEF | (session ? SETSID : 0), 0, 0, 0);
    }

    private static Fd aboveTargets(Fd fd) {
        long number = Kernel.tryCall(SystemCall.FCNTL, fd.number(), F_DUPFD_CLOEXEC, ABOVE_TARGETS, 0);
        return new Fd((int) Kernel.check(number, "duplicate", "descriptor " + fd.number()));
    }

    private static void checked(MethodHandle function, long a, long b, long c, long d, long e) {
        int error = Kernel.callFunction(function, a, b, c, d, e, 0);
        if (error != 0) {
            throw new SystemCallFault("prepare", "a new process", error);
        }
    }

    private static long strings(Arena arena, List<String> texts) {
        MemorySegment array = arena.allocate(8L * (texts.size() + 1), 8);
        for (int i = 0; i < texts.size(); i++) {
            array.set(ValueLayout.JAVA_LONG, 8L * i, arena.allocateFrom(texts.get(i)).address());
        }
        return array.address();
    }
}
