package io.berth.cli.pull;

import io.berth.api.v1.PullProgress;
import io.berth.cli.output.Words;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The bars of one pull, a line a blob, as they are drawn on a terminal. Thread-safe. */
public final class PullBars {

    private static final int BAR = 30;

    private final Map<String, PullProgress> blobs = new LinkedHashMap<>();

    /** Takes a report in; one about the pull as a whole draws nothing. */
    public synchronized void report(PullProgress progress) {
        if (!progress.getDigest().isEmpty()) {
            blobs.put(progress.getDigest(), progress);
        }
    }

    /** A line a blob, in the order in which they began. */
    public synchronized List<String> lines() {
        List<String> lines = new ArrayList<>();
        blobs.forEach((digest, blob) -> lines.add(line(digest, blob)));
        return lines;
    }

    private static String line(String digest, PullProgress blob) {
        long total = blob.getTotalBytes();
        long done = blob.getDoneBytes();
        String name = Words.shortId(digest);
        String sizes = total > 0 ? Words.bytes(done) + " of " + Words.bytes(total) : Words.bytes(done);
        int full = total > 0 ? (int) Math.clamp(BAR * done / total, 0, BAR) : 0;
        String bar = total > 0 ? "[" + "=".repeat(full) + " ".repeat(BAR - full) + "]" : " ".repeat(BAR + 2);
        return String.format("%-12s %-12s %s %s%s", name, blob.getPhase(), bar, sizes,
                blob.getError().isEmpty() ? "" : "  " + blob.getError()).replaceAll("\\p{Cntrl}", "?");
    }
}
