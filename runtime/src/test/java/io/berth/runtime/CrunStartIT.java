package io.berth.runtime;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.berth.base.RuntimeFault;
import io.berth.linux.Command;
import io.berth.linux.Fifo;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/** A real crun's containers are started without it; crun sees what it would see else. */
@Timeout(120)
class CrunStartIT {

    private static final Path CRUN = Path.of("/usr/bin/crun");
    private static final Path BUSYBOX = Path.of("/bin/busybox");
    private static final Duration LIMIT = Duration.ofSeconds(60);
    private static final String ID = "berth-crun-start";

    @TempDir
    private Path directory;

    private OciRuntime runtime;
    private Path bundle;

    @BeforeEach
    void bundle() throws IOException {
        assumeTrue("root".equals(System.getProperty("user.name")), "needs root");
        assumeTrue(Files.isExecutable(CRUN) && Files.isExecutable(BUSYBOX), "needs crun and a static busybox");
        runtime = new OciRuntime(RuntimeHandler.plain("crun", CRUN), directory.resolve("state"));
        bundle = Files.createDirectories(directory.resolve("bundle"));
        Files.createDirectories(bundle.resolve("rootfs/bin"));
        Files.copy(BUSYBOX, bundle.resolve("rootfs/bin/sleep"));
        assertEquals(0, new Command(List.of(CRUN.toString(), "spec"), java.util.Map.of(), bundle, LIMIT, 4096).run().exitCode());
    }

    @AfterEach
    void end() {
        if (runtime != null) {
            runtime.delete(ID, true);
        }
    }

    /** The first process of a created container that sleeps. */
    private int create(boolean withHook) throws IOException {
        Path file = bundle.resolve("config.json");
        ObjectNode spec = (ObjectNode) JsonMapper.shared().readTree(Files.readString(file));
        ObjectNode process = (ObjectNode) spec.get("process");
        process.put("terminal", false);
        process.putArray("args").add("/bin/sleep").add("1000");
        if (withHook) {
            // One that reads what it is told: crun is killed by SIGPIPE where a hook has ended before that.
            ObjectNode hook = spec.putObject("hooks").putArray("poststart").addObject().put("path", "/bin/sh");
            hook.putArray("args").add("sh").add("-c").add("cat > /dev/null");
        }
        Files.write(file, JsonMapper.shared().writeValueAsBytes(spec));
        // crun wants a hugetlb hierarchy where cgroups are of version 1; it is seen by this crun alone.
        Path hugetlb = Files.createDirectories(directory.resolve("hugetlb"));
        String script = "mount -t cgroup -o hugetlb none " + hugetlb + " 2>/dev/null; cd " + bundle + " && exec "
                + String.join(" ", runtime.commandLine(List.of("create", "--pid-file", directory.resolve("pid").toString(), ID)))
                + " > /dev/null 2> " + directory.resolve("errors");
        Command.Output output = Command.of(List.of("unshare", "--mount", "--propagation", "private", "sh", "-c", script), LIMIT)
                .run();
        assertEquals(0, output.exitCode(), Files.readString(directory.resolve("errors")));
        return Integer.parseInt(Files.readString(directory.resolve("pid")).strip());
    }

    private Path fifo() {
        return runtime.root().resolve(ID).resolve(StartFifo.NAME);
    }

    private static String comm(int pid) throws IOException {
        return Files.readString(Path.of("/proc/" + pid + "/comm")).strip();
    }

    private static void awaitProgram(int pid) throws Exception {
        for (int tries = 0; tries < 500 && !comm(pid).equals("sleep"); tries++) {
            Thread.sleep(10);
        }
        assertEquals("sleep", comm(pid));
    }

    @Test
    void crunRunsFromASealedCopyOfItself() {
        assertTrue(runtime.program().toString().matches("/proc/[0-9]+/fd/[0-9]+"), runtime.program().toString());
        assertEquals(runtime.program(), runtime.program(), "one copy");
        assertTrue(runtime.version().startsWith("crun version "), runtime.version());
        assertThrows(IOException.class, () -> Files.write(runtime.program(), new byte[1]), "nobody can change it");
    }

    @Test
    void crunKnowsThatTheProgramRuns() throws Exception {
        int pid = create(false);
        assertTrue(Files.exists(fifo()), "crun has changed: it is started the slow way");
        assertFalse(runtime.hasBegun(ID, pid));
        assertEquals(Optional.of("created"), runtime.status(ID));
        assertTrue(new CrunFifo().open(ID, fifo().getParent(), pid, LIMIT));
        awaitProgram(pid);
        assertTrue(runtime.hasBegun(ID, pid));
        assertFalse(Files.exists(fifo()));
        assertEquals(Optional.of("running"), runtime.status(ID));
    }

    @Test
    void aProgramThatBeganWithoutThatItsFifoWasRemovedIsToldToRun() throws Exception {
        int pid = create(false);
        try (var writer = Fifo.openWriter(fifo()).orElseThrow()) {
            writer.write(new byte[1], 0, 1);
        }
        awaitProgram(pid);
        assertTrue(Files.exists(fifo()));
        assertTrue(runtime.hasBegun(ID, pid));
        assertEquals(Optional.of("running"), runtime.status(ID));
    }

    @Test
    void aContainerWithAHookAfterItsStartIsLeftToCrun() throws Exception {
        int pid = create(true);
        assertFalse(new CrunFifo().open(ID, fifo().getParent(), pid, LIMIT));
        assertFalse(runtime.hasBegun(ID, pid));
        runtime.start(ID, pid);
        awaitProgram(pid);
    }

    @Test
    void aContainerWhoseFirstProcessHasEndedIsNotStarted() throws Exception {
        int pid = create(false);
        ProcessHandle.of(pid).orElseThrow().destroyForcibly();
        for (int tries = 0; tries < 500 && Files.exists(Path.of("/proc/" + pid)); tries++) {
            Thread.sleep(10);
        }
        RuntimeFault refused = assertThrows(RuntimeFault.class, () -> runtime.start(ID, pid));
        assertTrue(refused.getMessage().contains("has ended"), refused.getMessage());
    }
}
