package io.berth.linux;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.VarHandle;

/**
 * System calls and the few C library functions that Berth needs, all through one downcall shape: linking a shape costs
 * about 100 ms the first time, a further function of the same shape next to nothing. Thread-safe.
 *
 * <p>A blocking call occupies its carrier thread: callers make blocking calls on platform threads.
 */
final class Kernel {

    private static final Linker LINKER = Linker.nativeLinker();
    private static final MemoryLayout STATE = Linker.Option.captureStateLayout();
    private static final VarHandle ERRNO = STATE.varHandle(MemoryLayout.PathElement.groupElement("errno"));
    private static final FunctionDescriptor SHAPE = FunctionDescriptor.of(
            ValueLayout.JAVA_LONG,
            ValueLayout.JAVA_LONG, ValueLayout.JAVA_LONG, ValueLayout.JAVA_LONG, ValueLayout.JAVA_LONG,
            ValueLayout.JAVA_LONG, ValueLayout.JAVA_LONG, ValueLayout.JAVA_LONG);
    private static final SymbolLookup LIBC = LINKER.defaultLookup();
    private static final MethodHandle SYSCALL = function("syscall");

    private Kernel() {}

    /** A C function that takes up to seven integers or pointers. */
    static MethodHandle function(String name) {
        MemorySegment address = LIBC.find(name).orElseThrow(
                () -> new IllegalStateException("the C library has no function " + name));
        return LINKER.downcallHandle(address, SHAPE, Linker.Option.captureCallState("errno"));
    }

    /** Makes the call; the result, or the negative error number. */
    static long tryCall(SystemCall call, long a, long b, long c, long d, long e, long f) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment state = arena.allocate(STATE);
            long result = (long) SYSCALL.invokeExact(state, (long) call.number(), a, b, c, d, e, f);
            return result == -1 ? -(int) ERRNO.get(state, 0L) : result;
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    static long tryCall(SystemCall call, long a, long b, long c, long d) {
        return tryCall(call, a, b, c, d, 0, 0);
    }

    static long tryCall(SystemCall call, long a, long b) {
        return tryCall(call, a, b, 0, 0, 0, 0);
    }

    /** Calls a C function that returns an error number (as the posix_spawn family does) or a small integer. */
    static int callFunction(MethodHandle function, long a, long b, long c, long d, long e, long f) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment state = arena.allocate(STATE);
            return (int) (long) function.invokeExact(state, a, b, c, d, e, f, 0L);
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    /** The result, or a fault that names the call, the object and the error. */
    static long check(long result, String action, Object object) {
        if (result < 0) {
            throw new SystemCallFault(action, String.valueOf(object), (int) -result);
        }
        return result;
    }

    private static RuntimeException unexpected(Throwable t) {
        return switch (t) {
            case Error error -> throw error;
            case RuntimeException runtime -> runtime;
            default -> new IllegalStateException("native call", t);
        };
    }
}
