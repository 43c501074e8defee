package io.berth.cli.output;

import io.berth.api.v1.TimelineStep;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * The steps of a pod or container as a waterfall of text: from the client's first call to the last one, with what was
 * waited for in between.
 */
public final class TimelineTable {

    private static final int WIDTH = 40;
    private static final double NANOS_A_MILLI = 1e6;
    /** Shorter gaps are the way from a step to the next. */
    private static final long TOLD_WAIT_NANOS = 2_000_000;
    /** What comes later is another story, such as the pod's end: its bars begin anew. */
    private static final long STORY_NANOS = 60_000_000_000L;

    private final List<String> lines = new ArrayList<>();
    private final long first;
    private long storyBegin;
    private long storyEnd;

    private TimelineTable(long first) {
        this.first = first;
    }

    /** A heading and a line a step, in the order given; times in milliseconds, the first step's start being 0. */
    public static List<String> lines(List<TimelineStep> steps) {
        TimelineTable table = new TimelineTable(steps.isEmpty() ? 0 : steps.getFirst().getStartedAtNanos());
        table.lines.add("%9s %9s  %-16s %-17s %-12s".formatted("AT ms", "TOOK ms", "OPERATION", "STEP", "SUBJECT"));
        for (int i = 0; i < steps.size(); i++) {
            table.add(steps, i);
        }
        return table.lines;
    }

    private void add(List<TimelineStep> steps, int index) {
        TimelineStep step = steps.get(index);
        long reached = index == 0 ? 0 : reached(steps.subList(0, index));
        long waited = step.getStartedAtNanos() - reached;
        if (index == 0 || waited > STORY_NANOS) {
            storyBegin = step.getStartedAtNanos();
            storyEnd = storyEnd(steps, index);
        }
        if (index > 0 && waited > TOLD_WAIT_NANOS) {
            boolean within = step.getOperation().equals(steps.get(index - 1).getOperation())
                    && step.getSubjectId().equals(steps.get(index - 1).getSubjectId());
            lines.add(line(reached, waited, "(waited)", within ? "inside the call" : "the next call", "",
                    bar(reached, waited, '·')));
        }
        String end = bar(step.getStartedAtNanos(), step.getDurationNanos(), '█')
                + (step.getError().isEmpty() ? "" : "  FAILED: " + step.getError());
        String subject = step.getSubjectId();
        lines.add(line(step.getStartedAtNanos(), step.getDurationNanos(), step.getOperation(), step.getStep(),
                subject.substring(0, Math.min(12, subject.length())), end));
    }

    private String line(long atNanos, long nanos, String operation, String step, String subject, String end) {
        return String.format(Locale.ROOT, "%9.1f %9.1f  %-16s %-17s %-12s %s", (atNanos - first) / NANOS_A_MILLI,
                nanos / NANOS_A_MILLI, operation, step, subject, end).stripTrailing();
    }

    private static long reached(List<TimelineStep> steps) {
        return steps.stream().mapToLong(TimelineTable::end).max().orElse(0);
    }

    private static long end(TimelineStep step) {
        return step.getStartedAtNanos() + step.getDurationNanos();
    }

    private static long storyEnd(List<TimelineStep> steps, int from) {
        long reached = end(steps.get(from));
        for (TimelineStep step : steps.subList(from, steps.size())) {
            if (step.getStartedAtNanos() - reached > STORY_NANOS) {
                break;
            }
            reached = Math.max(reached, end(step));
        }
        return reached;
    }

    private String bar(long atNanos, long nanos, char sign) {
        double all = Math.max(1, storyEnd - storyBegin);
        if (atNanos < storyBegin) {
            return "";
        }
        int before = (int) Math.min(WIDTH - 1, (atNanos - storyBegin) / all * WIDTH);
        int length = (int) Math.clamp(Math.round(nanos / all * WIDTH), 1, WIDTH - before);
        return " ".repeat(before) + String.valueOf(sign).repeat(length);
    }
}
