package io.berth.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.berth.base.RuntimeFault;
import io.berth.cli.scratch.PodClient;
import java.time.Duration;
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
 * The daemon is killed in the middle of everything, and killed again at every step of its recovery. When it is let come
 * back at last, it is as after one crash.
 *
 * <p>The short form lets one scene be recovered, one step further at each start; with {@code BERTH_FAULTS=full} each point,
 * before and after each step, has a scene of its own.
 */
@Timeout(1800)
class RecoverFaultIT {

    private static final boolean FULL = "full".equals(System.getenv("BERTH_FAULTS"));
    private static final long DEATH_LIMIT_NANOS = 5_000_000_000L;
    /** Where each verb stands when the daemon is killed. */
    private static final Map<String, String> CUTS = Map.of(
            "RunPod", "after RunPodSandbox/network",
            "Create", "after CreateContainer/runtime create",
            "Start", "after StartContainer/runtime start",
            "Remove", "after RemoveContainer/removing",
            "StopPod", "after StopPodSandbox/containers",
            "RemovePod", "after RemovePodSandbox/containers",
            "ExecSync", "after ExecSync/prepare",
            "Pull", "after PullImage/layers",
            "RemoveImage", "after RemoveImage/intent");

    /** Its own steps only: what is made ahead has steps at any time. {@link SandboxPoolFaultIT} cuts those. */
    @RegisterExtension
    private final TestDaemon daemon = TestDaemon.withFailpoints("[runtime]\nsandbox_pool = 0\n");

    private LocalRegistry registry;
    private Witness witness;
    private List<FaultVerb> verbs;
    private NodeContents before;
    private PodClient.Pod endingPod;
    private String ending;

    @BeforeEach
    void standBy() throws Exception {
        registry = LocalRegistry.start(daemon.node().directory().resolve("registry"));
        TestImages.busybox(daemon);
        witness = Witness.start(daemon);
        List<String> images = List.of(registry.push("one"), registry.push("two"));
        verbs = FaultVerb.all(daemon, witness, images).stream().filter(verb -> CUTS.containsKey(verb.toString())).toList();
        assertEquals(CUTS.size(), verbs.size());
        before = NodeContents.of(daemon);
    }

    @AfterEach
    void endRegistry() throws InterruptedException {
        registry.close();
    }

    /** Everything half done, and nobody there; meanwhile a container ends. */
    private void cutEverything() throws Exception {
        endingPod = daemon.pods().run(PodClient.config("ending", daemon.node().logs()));
        verbs.forEach(FaultVerb::prepare);
        List<Thread> calling = new ArrayList<>();
        for (FaultVerb verb : verbs) {
            String point = CUTS.get(verb.toString());
            daemon.faults().arm(point + " hold");
            calling.add(Thread.ofVirtual().start(() -> {
                try {
                    verb.call();
                } catch (RuntimeException | AssertionError broken) {
                    // The connection ends with the daemon.
                }
            }));
            daemon.faults().awaitHeld(point);
        }
        ending = daemon.pods().run(endingPod, PodClient.container("ending", "sh", "-c", "sleep 0.5; exit 42"));
        daemon.kill9();
        for (Thread call : calling) {
            call.join();
        }
        CUTS.values().forEach(daemon.faults()::release);
        daemon.faults().arm();
        Thread.sleep(1000);
    }

    private void assertWhole(String after) throws Exception {
        witness.assertUnharmed(after);
        NodeContents.assertTold(daemon, after);
        assertEquals(42, daemon.pods().awaitExit(ending, Duration.ofSeconds(10)).getExitCode(), after);
        daemon.pods().stop(endingPod);
        daemon.pods().remove(endingPod);
        for (FaultVerb verb : verbs) {
            verb.repeat();
            verb.cleanUp();
        }
        before.assertSame(daemon, after);
    }

    /** The steps of a recovery from all this, in the order of their ends: those within another come before it. */
    private Set<String> steps() throws Exception {
        cutEverything();
        daemon.start();
        Set<String> steps = new LinkedHashSet<>(daemon.faults().done());
        assertWhole("one crash");
        steps.removeIf(step -> !step.matches(
                "(Recover|Reconcile|RunPodSandbox|StopPodSandbox|RemovePodSandbox|StopContainer|RemoveContainer)/.*"));
        assertTrue(steps.containsAll(Set.of("Recover/containers", "Recover/sandboxes", "Recover/network",
                "Recover/reconcile", "RemoveContainer/runtime delete", "RemovePodSandbox/files",
                "StopPodSandbox/namespaces")), steps.toString());
        return steps;
    }

    /** Starts a daemon that ends at {@code point}; false when it did not come there. */
    private boolean diesAt(String point) throws InterruptedException {
        daemon.faults().arm(point + " halt");
        try {
            daemon.start();
        } catch (RuntimeFault ended) {
            assertTrue(ended.getMessage().contains("exit code 137"), ended.getMessage());
            return true;
        }
        // What comes after the first answer, or does not come again once it was done.
        long deadline = System.nanoTime() + DEATH_LIMIT_NANOS;
        while (daemon.process().isAlive() && point.contains("Reconcile/layers") && System.nanoTime() < deadline) {
            Thread.sleep(5);
        }
        boolean died = !daemon.process().isAlive();
        daemon.kill9();
        return died;
    }

    @Test
    void aRecoveryThatIsKilledAtEachOfItsStepsIsARecoveryAllTheSame() throws Exception {
        Set<String> steps = steps();
        Map<String, Boolean> killed = new LinkedHashMap<>();
        if (FULL) {
            for (String step : steps) {
                for (String point : List.of("before " + step, "after " + step)) {
                    cutEverything();
                    killed.put(point, diesAt(point));
                    daemon.faults().arm();
                    daemon.start();
                    assertWhole("a recovery killed " + point);
                }
            }
        } else {
            cutEverything();
            for (String step : steps) {
                killed.put("after " + step, diesAt("after " + step));
            }
            daemon.faults().arm();
            daemon.start();
            assertWhole("recoveries killed at each step");
        }
        Set<String> missed = new TreeSet<>();
        killed.forEach((point, died) -> {
            if (!died) {
                missed.add(point);
            }
        });
        System.out.println("recovery points: " + (killed.size() - missed.size()) + " crashed");
        witness.assertLogWhole();
        assertEquals(Set.of(), missed, "points that were not reached");
        witness.end();
        registry.close();
    }
}
