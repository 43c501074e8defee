package io.berth.pod;

import io.berth.base.RuntimeFault;
import io.berth.base.UnixTime;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The newest findings of the reconciler, {@value #KEPT} at most, the same thing once. Thread-safe. */
public final class Findings {

    /** How many are kept. */
    public static final int KEPT = 200;

    private static final Logger LOG = LoggerFactory.getLogger(Findings.class);

    private final Map<String, Finding> newest = new LinkedHashMap<>();
    private long runs;
    private long lastRunAtNanos;
    private long lastRunNanos;

    /**
     * What is known.
     *
     * @param findings oldest first
     */
    public record Report(long runs, long lastRunAtNanos, long lastRunDurationNanos, List<Finding> findings) {}

    /** Work that may fail. */
    @FunctionalInterface
    interface Cure {
        void run() throws Exception;
    }

    /** Does {@code cure} for what was found, and keeps how that went. A failure is kept and logged, not thrown. */
    void cure(String kind, String subject, String action, Cure cure) {
        String error = "";
        try {
            cure.run();
            LOG.atWarn().addKeyValue("kind", kind).addKeyValue("subject", subject).log(action);
        } catch (Exception failure) {
            error = RuntimeFault.reason(failure);
            LOG.atError().addKeyValue("kind", kind).addKeyValue("subject", subject).setCause(failure)
                    .log("not " + action + ", tried again later");
        }
        add(new Finding(kind, subject, action, error, UnixTime.now()));
    }

    private synchronized void add(Finding finding) {
        String key = finding.kind() + " " + finding.subject();
        newest.remove(key);
        newest.put(key, finding);
        if (newest.size() > KEPT) {
            newest.remove(newest.keySet().iterator().next());
        }
    }

    synchronized void ran(long startedAtNanos, long nanos) {
        runs++;
        lastRunAtNanos = startedAtNanos;
        lastRunNanos = nanos;
    }

    /** What is known now. */
    public synchronized Report report() {
        return new Report(runs, lastRunAtNanos, lastRunNanos, new ArrayList<>(newest.values()));
    }
}
