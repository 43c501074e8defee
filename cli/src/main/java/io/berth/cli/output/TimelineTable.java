package io.berth.cli.output;

import io.berth.api.v1.TimelineStep;
import java.util.ArrayList;
import java.util.List;

/** The steps of a pod or container as lines of text. */
public final class TimelineTable {

    private TimelineTable() {}

    /** A heading and a line a step, in the order given; times in milliseconds, the first step's start being 0. */
    public static List<String> lines(List<TimelineStep> steps) {
        long first = steps.isEmpty() ? 0 : steps.getFirst().getStartedAtNanos();
        List<String> lines = new ArrayList<>();
        lines.add("%9s %9s  %-16s %-17s %s".formatted("AT ms", "TOOK ms", "OPERATION", "STEP", "SUBJECT"));
        for (TimelineStep step : steps) {
            lines.add("%9.1f %9.1f  %-16s %-17s %s%s".formatted((step.getStartedAtNanos() - first) / 1e6,
                    step.getDurationNanos() / 1e6, step.getOperation(), step.getStep(),
                    step.getSubjectId().substring(0, 12),
                    step.getError().isEmpty() ? "" : "  FAILED: " + step.getError()));
        }
        return lines;
    }
}
