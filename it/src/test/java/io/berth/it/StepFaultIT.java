package io.berth.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.berth.api.v1.ReconciliationRequest;
import io.berth.base.RuntimeFault;
import io.berth.cli.scratch.BusyboxImage;
import io.berth.cri.v1.ImageSpec;
import io.berth.cri.v1.RemoveImageRequest;
import io.grpc.StatusRuntimeException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * Every named step of every verb, on a real daemon: killed at it and started again, and made to fail at it. Afterwards the
 * repeated call must succeed or tell the truth, a pod that stood by must not have noticed, and the node must have exactly
 * what it had before.
 *
 * <p>The short form kills after each step, several verbs at different steps with one kill, and lets each step fail once.
 * With the environment variable {@code BERTH_FAULTS=full} every point has a daemon of its own: it is killed before and
 * after each step, and each step fails before and after its work with each error.
 */
@Timeout(3600)
class StepFaultIT {

    private static final boolean FULL = "full".equals(System.getenv("BERTH_FAULTS"));
    private static final List<String> ERRORS = List.of("ENOSPC", "EIO", "EBUSY", "ETIMEDOUT");

    /** Its own steps only: what is made ahead has steps at any time. {@link SandboxPoolFaultIT} cuts those. */
    @RegisterExtension
    private final TestDaemon daemon = TestDaemon.withFailpoints("[runtime]\nsandbox_pool = 0\n");

    private final List<String> wrong = new ArrayList<>();
    private final Set<String> points = new TreeSet<>();
    /** What is to be cut, for each verb in turn. */
    private final Map<FaultVerb, List<Cut>> cuts = new LinkedHashMap<>();
    private LocalRegistry registry;
    private Witness witness;
    private NodeContents before;
    private int crashed;
    private int failed;

    /** A point where the daemon is killed, and what leads there. */
    private record Cut(FaultVerb verb, String point, List<String> armed) {}

    @BeforeEach
    void standBy() throws Exception {
        registry = LocalRegistry.start(daemon.node().directory().resolve("registry"));
        TestImages.busybox(daemon);
        witness = Witness.start(daemon);
    }

    @AfterEach
    void endRegistry() throws InterruptedException {
        registry.close();
    }

    @Test
    void noStepOfAnyVerbLeaksOrLosesAnythingWhenItIsCutOrFails() throws Exception {
        List<FaultVerb> verbs = FaultVerb.all(daemon, witness, List.of(registry.push("one"), registry.push("two")));
        Map<FaultVerb, Set<String>> steps = new LinkedHashMap<>();
        for (FaultVerb verb : verbs) {
            Set<String> found = steps(verb);
            // Verbs call each other: a step that was met before is met again only in the long form.
            found.removeIf(step -> !points.add(step) && !FULL);
            steps.put(verb, found);
        }
        before = NodeContents.of(daemon);
        int error = 0;
        for (FaultVerb verb : verbs) {
            for (String step : steps.get(verb)) {
                for (String each : FULL ? ERRORS : List.of(ERRORS.get(error++ % ERRORS.size()))) {
                    fail(verb, "before " + step + " fail " + each);
                    if (FULL) {
                        fail(verb, "after " + step + " fail " + each);
                    }
                }
                if (FULL) {
                    cut(verb, "before " + step);
                }
                cut(verb, "after " + step);
            }
            failBackwards(verb, steps.get(verb));
        }
        crashAll();
        report();
        registry.close();
        end();
    }

    private void report() throws IOException {
        long leaks = wrong.stream().filter(line -> line.contains("what the node has")).count();
        System.out.println("points: " + crashed + " crashed, " + failed + " failed, " + leaks + " leaks");
        witness.assertLogWhole();
        assertEquals("", String.join("\n", wrong));
        assertEquals(String.join("\n", pinned()), String.join("\n", points), "the points, beside those in fault-points.txt");
    }

    private void end() {
        witness.end();
        daemon.connection().images().removeImage(RemoveImageRequest.newBuilder()
                .setImage(ImageSpec.newBuilder().setImage(BusyboxImage.NAME)).build());
        daemon.assertNothingLeft();
    }

    // A list that can only grow: a step that lost its name would be a test that no longer runs.
    private static Set<String> pinned() throws IOException {
        try (InputStream in = StepFaultIT.class.getResourceAsStream("/fault-points.txt")) {
            Set<String> lines = new TreeSet<>(new String(in.readAllBytes(), StandardCharsets.UTF_8).lines().toList());
            lines.removeIf(line -> line.isBlank() || line.startsWith("#"));
            return lines;
        }
    }

    /** Runs the verb undisturbed, to learn its steps. */
    private Set<String> steps(FaultVerb verb) throws Exception {
        verb.prepare();
        daemon.faults().arm();
        verb.call();
        Set<String> steps = new LinkedHashSet<>(daemon.faults().begun());
        verb.repeat();
        verb.cleanUp();
        return steps;
    }

    private void cut(FaultVerb verb, String point, String... first) {
        List<String> armed = new ArrayList<>(List.of(first));
        armed.add(point + " hold");
        cuts.computeIfAbsent(verb, key -> new ArrayList<>()).add(new Cut(verb, point, armed));
    }

    private void crashAll() throws Exception {
        while (!cuts.isEmpty()) {
            List<Cut> together = new ArrayList<>();
            for (FaultVerb verb : List.copyOf(cuts.keySet())) {
                if (!FULL || together.isEmpty()) {
                    together.add(cuts.get(verb).removeFirst());
                    if (cuts.get(verb).isEmpty()) {
                        cuts.remove(verb);
                    }
                }
            }
            crash(together);
        }
    }

    private void crash(List<Cut> together) throws Exception {
        crashed += together.size();
        String about = "a crash " + together.stream().map(Cut::point).toList();
        together.forEach(cut -> cut.verb.prepare());
        List<Thread> calling = new ArrayList<>();
        check(together.stream().map(Cut::verb).toList(), about, () -> {
            for (Cut cut : together) {
                daemon.faults().arm(cut.armed.toArray(String[]::new));
                calling.add(Thread.ofVirtual().start(() -> {
                    try {
                        cut.verb.call();
                    } catch (RuntimeException | AssertionError broken) {
                        // The connection ends with the daemon.
                    }
                }));
                daemon.faults().awaitHeld(cut.point);
            }
            daemon.kill9();
            for (Thread call : calling) {
                call.join();
            }
            together.forEach(cut -> daemon.faults().release(cut.point));
            daemon.faults().arm();
            daemon.start();
            witness.assertUnharmed(about);
            NodeContents.assertTold(daemon, about);
        });
    }

    /** The steps that were begun, those backwards included. */
    private Set<String> fail(FaultVerb verb, String armed) throws Exception {
        failed++;
        verb.prepare();
        daemon.faults().arm(armed);
        Set<String> begun = new LinkedHashSet<>();
        check(List.of(verb), armed, () -> {
            callThatMayFail(verb);
            daemon.faults().awaitAllHit(armed);
            begun.addAll(daemon.faults().begun());
            witness.assertUnharmed(armed);
            NodeContents.assertNothingUnknown(daemon, armed);
        });
        return begun;
    }

    private static void callThatMayFail(FaultVerb verb) {
        try {
            verb.call();
        } catch (StatusRuntimeException told) {
            // ETIMEDOUT of a command's run is what the end of its time limit is, and is told in those words.
            assertTrue(told.getMessage().contains("failpoint")
                    || told.getStatus().getCode() == io.grpc.Status.Code.DEADLINE_EXCEEDED, told.getMessage());
        } catch (RuntimeFault | java.io.UncheckedIOException | AssertionError broken) {
            // A stream has no status: it ends early.
        }
    }

    /** Breaks the way back of a verb that failed at its last step. */
    private void failBackwards(FaultVerb verb, Set<String> steps) throws Exception {
        if (steps.isEmpty()) {
            return;
        }
        String failing = "before " + List.copyOf(steps).getLast() + " fail EIO";
        for (String step : fail(verb, failing).stream().filter(each -> each.contains("/undo ")).toList()) {
            points.add(step);
            cut(verb, "after " + step, failing);
            if (FULL) {
                cut(verb, "before " + step, failing);
            }
            failed++;
            verb.prepare();
            daemon.faults().arm(failing, "before " + step + " fail EBUSY");
            check(List.of(verb), "a failure of " + step, () -> callThatMayFail(verb));
        }
    }

    private interface Check {
        void run() throws Exception;
    }

    // One wrong point does not hide the others.
    private void check(List<FaultVerb> verbs, String what, Check check) throws Exception {
        long from = System.nanoTime();
        try {
            check.run();
            for (FaultVerb verb : verbs) {
                verb.repeat();
                verb.cleanUp();
            }
            before.assertSame(daemon, verbs + ": " + what);
        } catch (RuntimeException | AssertionError failure) {
            wrong.add(verbs + ": " + what + ": " + failure);
            System.out.println("WRONG " + wrong.getLast());
            recover(verbs);
        }
        if (System.getenv("BERTH_FAULTS_VERBOSE") != null) {
            System.out.println((System.nanoTime() - from) / 1_000_000 + " ms " + verbs + ": " + what);
        }
    }

    private void recover(List<FaultVerb> verbs) {
        try {
            daemon.faults().arm();
            if (!daemon.process().isAlive()) {
                daemon.start();
            }
            verbs.forEach(FaultVerb::cleanUp);
            // One wrong point must not make those after it wrong.
            daemon.connection().berth().reconciliation(ReconciliationRequest.newBuilder().setRunNow(true).build());
        } catch (RuntimeException again) {
            System.out.println("and cannot be cleaned up: " + again);
        }
        before = NodeContents.of(daemon);
    }
}
