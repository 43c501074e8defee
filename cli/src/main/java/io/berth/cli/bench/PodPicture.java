package io.berth.cli.bench;

import io.berth.api.v1.TimelineStep;
import io.berth.cli.bench.PodRun.Call;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** Pods' lives as an SVG waterfall: the calls of each contestant, and below them the steps that the runtime tells. */
final class PodPicture {

    private record Bar(String label, long afterNanos, long nanos, boolean step) {}

    private static final int LEFT = 300;
    private static final int WIDTH = 1000;
    private static final int LINE = 18;

    private final StringBuilder svg = new StringBuilder();
    private final double nanosWide;
    private int y = 10;

    private PodPicture(long longestNanos) {
        nanosWide = longestNanos;
    }

    static String draw(Map<String, PodRun> runs) {
        long longest = runs.values().stream().flatMap(run -> run.calls().stream())
                .mapToLong(call -> call.afterNanos() + call.nanos()).max().orElse(1);
        PodPicture picture = new PodPicture(longest);
        runs.forEach(picture::contestant);
        return picture.finish();
    }

    private void contestant(String name, PodRun run) {
        y += LINE;
        svg.append("<text x=\"10\" y=\"%d\" font-weight=\"bold\">%s: running after %.1f ms</text>%n".formatted(y, escaped(name),
                run.toRunningNanos() / 1e6));
        List<Bar> bars = new ArrayList<>();
        for (Call call : run.calls()) {
            bars.add(new Bar(call.name(), call.afterNanos(), call.nanos(), false));
            run.steps().stream().filter(step -> call.name().startsWith(step.getOperation()))
                    .forEach(step -> bars.add(bar(step, run.startedAtNanos())));
        }
        bars.forEach(this::bar);
        y += LINE / 2;
    }

    private static Bar bar(TimelineStep step, long from) {
        return new Bar("    " + step.getStep(), Math.max(0, step.getStartedAtNanos() - from), step.getDurationNanos(), true);
    }

    private void bar(Bar bar) {
        y += LINE;
        double x = LEFT + bar.afterNanos() / nanosWide * WIDTH;
        double width = Math.max(1, bar.nanos() / nanosWide * WIDTH);
        svg.append(String.format(Locale.ROOT, "<text x=\"%d\" y=\"%d\">%s</text>%n", bar.step() ? 30 : 10, y,
                escaped(bar.label().strip())));
        svg.append(String.format(Locale.ROOT, "<text x=\"%d\" y=\"%d\" text-anchor=\"end\">%.1f ms</text>%n", LEFT - 10, y,
                bar.nanos() / 1e6));
        svg.append(String.format(Locale.ROOT,
                "<rect x=\"%.1f\" y=\"%d\" width=\"%.1f\" height=\"%d\" fill=\"%s\"/>%n", x, y - LINE + 6, width, LINE - 4,
                bar.step() ? "#9ec5e8" : "#2b6cb0"));
    }

    private static String escaped(String text) {
        return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;");
    }

    private String finish() {
        return String.format(Locale.ROOT, """
                <svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" font-family="sans-serif" font-size="12">
                <rect width="100%%" height="100%%" fill="white"/>
                %s</svg>
                """, LEFT + WIDTH + 20, y + LINE, svg);
    }
}
