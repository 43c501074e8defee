package io.berth.linux;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.berth.base.RuntimeFault;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;

class SpawnTest {

    private static final Duration LONG = Duration.ofSeconds(20);

    private static Command.Output shell(String script, Duration limit) {
        return new Command(List.of("/bin/sh", "-c", script), Map.of("PATH", "/usr/bin:/bin", "GREETING", "good day"),
                Path.of("/tmp"), limit, 1000).run();
    }

    @Test
    void aProgramGetsItsArgumentsEnvironmentAndDirectory() {
        Command.Output output = shell("pwd; echo \"$GREETING\"; echo bad >&2; exit 7", LONG);
        assertEquals("/tmp\ngood day\n", output.stdoutText());
        assertEquals("bad\n", output.stderrText());
        assertEquals(7, output.exitCode());
    }

    @Test
    void aProgramSeesNoOtherDescriptorOfThisProcess() {
        try (Fd.Pipe sync = Fd.pipe(); Fd.Pipe out = Fd.pipe()) {
            try (ChildProcess child = Spawn.of(List.of("/bin/ls", "/proc/self/fd"), Map.of())
                    .descriptor(1, out.write()).descriptor(5, sync.write()).start()) {
                out.write().close();
                // 3 is the directory that ls itself opened.
                assertEquals(List.of("0", "1", "2", "3", "5"), out.read().readAll(1000).lines().toList());
                assertEquals(OptionalInt.of(0), child.await(LONG));
            }
        }
    }

    @Test
    void theEndByASignalIsToldFromAnExitCode() {
        assertEquals(128 + Signals.KILL, shell("kill -9 $$", LONG).exitCode());
    }

    @Test
    void outputBeyondTheLimitIsDroppedAndTheProgramStillEnds() {
        Command.Output output = shell("head -c 300000 /dev/zero; echo end >&2", LONG);
        assertEquals(1000, output.stdout().length);
        assertTrue(output.truncated());
        assertEquals("end\n", output.stderrText());
    }

    @Test
    void aProgramThatTakesTooLongIsKilled() {
        RuntimeFault fault = assertThrows(RuntimeFault.class, () -> shell("echo $$; exec sleep 1000", Duration.ofMillis(200)));
        assertEquals(RuntimeFault.Kind.DEADLINE_EXCEEDED, fault.kind());
    }

    @Test
    void aTerminalIsWhatTheProgramsSessionIsControlledBy() {
        PlatformThreads.call(() -> {
            try (Pty pty = Pty.open(); ChildProcess child = Spawn.of(List.of("/bin/sh", "-c",
                    "trap 'echo caught > /dev/tty; exit 9' INT; echo ready; while :; do sleep 0.05; done"), Map.of("PATH", "/bin"))
                    .controllingTerminal(pty.terminal()).start()) {
                pty.terminal().close();
                assertTrue(seen(pty, "ready").contains("ready"));
                pty.master().write(new byte[] {3}, 0, 1);
                assertTrue(seen(pty, "caught").contains("caught"));
                assertEquals(OptionalInt.of(9), child.await(LONG));
            }
            return null;
        });
    }

    private static String seen(Pty pty, String words) {
        StringBuilder seen = new StringBuilder();
        byte[] chunk = new byte[1000];
        while (seen.indexOf(words) < 0 && pty.master().awaitReadable(LONG.toMillis())) {
            seen.append(new String(chunk, 0, Math.max(0, pty.master().read(chunk, 0, chunk.length)), StandardCharsets.UTF_8));
        }
        return seen.toString();
    }

    @Test
    void aMissingProgramIsNamed() {
        SystemCallFault fault = assertThrows(SystemCallFault.class,
                () -> Command.of(List.of("/no/such/program"), LONG).run());
        assertEquals(Errno.ENOENT, fault.errno());
        assertTrue(fault.getMessage().contains("/no/such/program"), fault.getMessage());
    }

    @Test
    void commandsWorkFromVirtualThreads() throws Exception {
        var results = new java.util.concurrent.ConcurrentLinkedQueue<String>();
        List<Thread> threads = java.util.stream.IntStream.range(0, 20).mapToObj(i -> Thread.ofVirtual().start(
                () -> results.add(new String(shell("echo " + i, LONG).stdout(), StandardCharsets.UTF_8)))).toList();
        for (Thread thread : threads) {
            thread.join();
        }
        assertEquals(20, Map.copyOf(results.stream().collect(java.util.stream.Collectors.toMap(r -> r, r -> r))).size());
    }
}
