package io.berth.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.berth.cli.scratch.PodClient;
import io.berth.cri.v1.RunPodSandboxRequest;
import io.berth.linux.Processes;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A shim that hangs, fails, prints garbage or floods harms only its own pod, and nothing of that one is left. */
@Timeout(180)
class BrokenShimFaultIT {

    private static final Path DIRECTORY = Path.of(System.getProperty("java.io.tmpdir"),
            "berth-shim-" + ProcessHandle.current().pid());
    private static final Path SCRIPT = DIRECTORY.resolve("shim");

    // Before the daemon, which looks for its runtimes at the start.
    static {
        script();
    }

    @RegisterExtension
    private final TestDaemon daemon = TestDaemon.withOptions("""
            [runtime]
            default_runtime_name = "plain"
            [runtime.runtimes.plain]
            runtime_path = "runc"
            [runtime.runtimes.broken]
            runtime_type = "io.containerd.runc.v2"
            runtime_path = "%1$s"
            [runtime.runtimes.gvisor]
            runtime_type = "io.containerd.runsc.v1"
            runtime_path = "%1$s"
            """.formatted(SCRIPT), "-Dberth.shim.limit.millis=3000");

    /**
     * In front of the real shim, which starts itself again by its own path: what it does wrong, it does at its commands. A
     * socket that answers nonsense is python's to serve.
     */
    private static void script() {
        try {
            Files.createDirectories(DIRECTORY);
            Files.writeString(SCRIPT, """
                    #!/bin/sh
                    for verb; do :; done
                    mode=$(cat %1$s.mode)
                    case "$mode $verb" in
                      "hang start") exec sleep 976;;
                      "hang-delete start") echo garbage; exit 0;;
                      "hang-delete delete") exec sleep 976;;
                      "fail start") echo "the wrapper refuses" >&2; exit 1;;
                      "silent start") exit 0;;
                      "garbage start") head -c 300 /dev/urandom; exit 0;;
                      "flood start") head -c 30000000 /dev/zero; head -c 30000000 /dev/zero >&2; exit 0;;
                      "words start") echo "what a lovely day"; exit 0;;
                      "nowhere start") echo "unix://%1$s.nobody"; exit 0;;
                      "deaf start") [ -n "$TTRPC_ADDRESS" ] || { echo "unix://%1$s.nobody"; exit 0; };;
                      "grpc start") echo '{"version":3,"address":"unix:///x","protocol":"grpc"}'; exit 0;;
                      "vsock start") echo '{"version":3,"address":"vsock://3:1024","protocol":"ttrpc"}'; exit 0;;
                      "version start") echo '{"version":9,"address":"unix:///x","protocol":"ttrpc"}'; exit 0;;
                      "json start") printf '{"version":2,"address":"%%s","protocol":"ttrpc"}' \
                          "$(containerd-shim-runc-v2 "$@")"; exit;;
                      "message start") message=$(head -c 66 | tr -d '\\0' | tail -c 64)
                          case " $* " in *" -id $message "*) ;; *) echo "wants the bootstrap message" >&2; exit 1;; esac
                          address=$(containerd-shim-runc-v2 "$@" < /dev/null)
                          printf '\\010\\002\\022'; printf "\\\\$(printf %%o ${#address})"; printf '%%s\\032\\005ttrpc' "$address"; exit;;
                      "nonsense start") python3 %1$s.py "$@" > /dev/null 2>&1 &
                          while [ ! -S %1$s.sock ]; do sleep 0.02; done; echo "unix://%1$s.sock"; exit 0;;
                    esac
                    exec containerd-shim-runc-v2 "$@"
                    """.formatted(SCRIPT));
            Files.setPosixFilePermissions(SCRIPT, PosixFilePermissions.fromString("rwxr-xr-x"));
            Files.writeString(DIRECTORY.resolve("shim.py"), """
                    import os, socket, threading
                    path = "%s.sock"
                    listener = socket.socket(socket.AF_UNIX)
                    listener.bind(path)
                    listener.listen(8)
                    def nonsense(peer):
                        try:
                            while True:
                                peer.sendall(os.urandom(65536))
                        except OSError:
                            pass
                    while True:
                        peer, _ = listener.accept()
                        threading.Thread(target=nonsense, args=(peer,), daemon=True).start()
                    """.formatted(SCRIPT));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        does("works");
    }

    private static void does(String mode) {
        try {
            Path beside = Files.writeString(DIRECTORY.resolve("mode.new"), mode + "\n");
            Files.move(beside, DIRECTORY.resolve("shim.mode"), StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @AfterAll
    static void removeScript() throws IOException {
        for (String name : List.of("shim", "shim.mode", "shim.py", "shim.sock")) {
            Files.deleteIfExists(DIRECTORY.resolve(name));
        }
        Files.deleteIfExists(DIRECTORY);
    }

    private PodClient.Pod pod() {
        return pod("broken");
    }

    private PodClient.Pod pod(String handler) {
        TestImages.busybox(daemon);
        var config = PodClient.config("broken", daemon.node().logs());
        return new PodClient.Pod(daemon.connection().runtime().runPodSandbox(RunPodSandboxRequest.newBuilder()
                .setConfig(config).setRuntimeHandler(handler).build()).getPodSandboxId(), config);
    }

    private void runsAndEnds() {
        PodClient.Pod pod = pod();
        String container = daemon.pods().run(pod, PodClient.container("c", "sh", "-c", "exit 4"));
        assertEquals(4, daemon.pods().awaitExit(container, Duration.ofSeconds(20)).getExitCode());
        end(pod);
    }

    private void end(PodClient.Pod pod) {
        daemon.pods().stop(pod);
        daemon.pods().remove(pod);
        daemon.assertNothingLeft();
    }

    /** A pod of another handler, as ever. */
    private void assertOthersWork() {
        var other = daemon.pods().run(PodClient.config("other", daemon.node().logs()));
        String container = daemon.pods().run(other, PodClient.container("c", "sh", "-c", "exit 4"));
        assertEquals(4, daemon.pods().awaitExit(container, Duration.ofSeconds(20)).getExitCode());
        daemon.pods().stop(other);
        daemon.pods().remove(other);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "hang | took longer", "fail | the wrapper refuses", "silent | printed nothing", "garbage | no address",
        "flood | no address", "words | what a lovely day", "nowhere | connect to shim", "grpc | only ttrpc",
        "vsock | unix:///PATH", "version | version 9", "nonsense | shim"})
    void whatItsStartDoesWrongIsToldAndNothingIsLeft(String mode, String words) {
        does(mode);
        StatusRuntimeException told = assertThrows(StatusRuntimeException.class, this::pod);
        assertTrue(told.getMessage().contains(words), told.getMessage());
        assertFalse(told.getMessage().contains("Exception"), told.getMessage());
        assertTrue(told.getMessage().length() < 5000, "what it printed is passed on");
        does("works");
        daemon.assertNothingLeft();
        assertOthersWork();
        runsAndEnds();
    }

    @Test
    void oneThatCannotDoWithoutAListenerForItsEventsGetsOneFromTheSecondPodOn() {
        does("deaf");
        StatusRuntimeException first = assertThrows(StatusRuntimeException.class, () -> pod("gvisor"));
        assertEquals(Status.Code.UNAVAILABLE, first.getStatus().getCode(), first.getMessage());
        assertTrue(first.getMessage().contains("run the pod again"), first.getMessage());
        daemon.assertNothingLeft();
        PodClient.Pod pod = pod("gvisor");
        String container = daemon.pods().run(pod, PodClient.container("c", "sh", "-c", "exit 4"));
        assertEquals(4, daemon.pods().awaitExit(container, Duration.ofSeconds(20)).getExitCode());
        end(pod);
    }

    @ParameterizedTest
    @CsvSource({"works", "json", "message"})
    void eachKindOfAnswerIsUnderstood(String mode) {
        does(mode);
        runsAndEnds();
    }

    @Test
    void oneThatIsNotInstalledIsToldAtTheStartOfTheDaemon() throws Exception {
        daemon.stop();
        Path config = daemon.node().directory().resolve("config.d/zz.toml");
        Files.writeString(config, "[runtime.runtimes.absent]\nruntime_type = \"io.containerd.absent.v2\"\n");
        RuntimeException told = assertThrows(RuntimeException.class, daemon::start);
        assertTrue(told.getMessage().contains("containerd-shim-absent-v2"), told.getMessage());
        Files.delete(config);
        daemon.start();
        runsAndEnds();
    }

    /** The shim's process is stopped, not ended: it is there and never answers. */
    @Test
    void oneThatHangsWhileItsContainersRunIsKilledWithThem() throws Exception {
        PodClient.Pod pod = pod();
        String container = daemon.pods().run(pod, PodClient.container("c", "sleep", "1000"));
        ProcessHandle shim = ProcessHandle.allProcesses().filter(process -> {
            String line = process.info().commandLine().orElse("");
            return line.contains("containerd-shim-runc-v2") && line.contains(pod.id());
        }).findFirst().orElseThrow();
        new ProcessBuilder("kill", "-STOP", Long.toString(shim.pid())).start().waitFor();
        StatusRuntimeException silent = assertThrows(StatusRuntimeException.class, () -> daemon.pods().exec(container, "true"));
        assertEquals(Status.Code.UNAVAILABLE, silent.getStatus().getCode(), silent.getMessage());
        assertTrue(silent.getMessage().contains("its shim does not answer"), silent.getMessage());
        assertOthersWork();
        end(pod);
        // Its remains are the node's first process's to take.
        assertTrue(Processes.startTicks((int) shim.pid()).isEmpty(), "the shim lives");
    }

    @Test
    void whatCannotBeTakenBackIsTakenBackAsSoonAsThatIsPossible() {
        does("hang-delete");
        assertThrows(StatusRuntimeException.class, this::pod);
        does("works");
        daemon.connection().berth().reconciliation(io.berth.api.v1.ReconciliationRequest.newBuilder().setRunNow(true).build());
        daemon.assertNothingLeft();
        runsAndEnds();
    }

    @Test
    void oneWhoseContainerCannotBeMadeTellsTheReason() {
        PodClient.Pod pod = pod();
        StatusRuntimeException none = assertThrows(StatusRuntimeException.class,
                () -> daemon.pods().run(pod, PodClient.container("c", "no-such-program")));
        assertEquals(Status.Code.INVALID_ARGUMENT, none.getStatus().getCode(), none.getMessage());
        assertTrue(none.getMessage().contains("no-such-program"), none.getMessage());
        end(pod);
    }
}
