package io.berth.cli.output;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.berth.api.v1.TimelineStep;
import java.util.List;
import org.junit.jupiter.api.Test;

class TimelineTableTest {

    private static final String POD = "a".repeat(64);
    private static final String CONTAINER = "b".repeat(64);

    private static TimelineStep step(String subject, String operation, String step, double atMillis, double tookMillis) {
        return TimelineStep.newBuilder().setSubjectId(subject).setOperation(operation).setStep(step)
                .setStartedAtNanos((long) (1e15 + atMillis * 1e6)).setDurationNanos((long) (tookMillis * 1e6)).build();
    }

    @Test
    void stepsAreAWaterfallWithWhatWasWaitedFor() {
        List<String> lines = TimelineTable.lines(List.of(
                step(POD, "RunPodSandbox", "namespaces", 0, 10), step(POD, "RunPodSandbox", "network", 10, 30),
                step(CONTAINER, "CreateContainer", "runtime create", 60, 20),
                step(CONTAINER, "CreateContainer", "created", 85, 15)));
        assertEquals(List.of(
                "    AT ms   TOOK ms  OPERATION        STEP              SUBJECT     ",
                "      0.0      10.0  RunPodSandbox    namespaces        aaaaaaaaaaaa ████",
                "     10.0      30.0  RunPodSandbox    network           aaaaaaaaaaaa     ████████████",
                "     40.0      20.0  (waited)         the next call                                  ········",
                "     60.0      20.0  CreateContainer  runtime create    bbbbbbbbbbbb                         ████████",
                "     80.0       5.0  (waited)         inside the call                                                ··",
                "     85.0      15.0  CreateContainer  created           bbbbbbbbbbbb                                   ██████"),
                lines);
    }

    @Test
    void aPodsEndADayLaterDoesNotShrinkItsStart() {
        List<String> lines = TimelineTable.lines(List.of(step(POD, "RunPodSandbox", "namespaces", 0, 10),
                step(POD, "RunPodSandbox", "network", 10, 10), step(POD, "StopPodSandbox", "network", 86_400_000, 10)));
        assertTrue(lines.get(1).endsWith("█".repeat(20)), lines.get(1));
        assertTrue(lines.getLast().endsWith("█".repeat(40)), lines.getLast());
    }

    @Test
    void aStepThatFailedSaysWhy() {
        TimelineStep failed = step("", "RunPodSandbox", "network", 0, 0).toBuilder().setError("no address").build();
        assertTrue(TimelineTable.lines(List.of(failed)).getLast().endsWith("FAILED: no address"));
        assertEquals(1, TimelineTable.lines(List.of()).size());
    }
}
