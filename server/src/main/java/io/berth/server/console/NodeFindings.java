package io.berth.server.console;

import io.berth.server.doctor.Doctor;
import io.berth.server.doctor.Finding;
import io.berth.server.doctor.Host;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * What the doctor and the reconciler have found, looked up anew every minute while somebody looks, on a thread of its own: the
 * doctor asks programs, which may be slow. Thread-safe.
 */
final class NodeFindings {

    private static final Duration FRESH = Duration.ofMinutes(1);

    /** @param number 0 while nothing was looked at, then counting up */
    record Report(long number, ObjectNode message) {}

    private final ConsoleSources sources;
    private volatile Report latest = new Report(0, JsonMapper.shared().createObjectNode());
    private boolean looking;
    private long dueAtNanos = System.nanoTime();

    NodeFindings(ConsoleSources sources) {
        this.sources = sources;
    }

    /** The latest report; begins to make a new one when it is old. */
    Report latest() {
        synchronized (this) {
            if (!looking && System.nanoTime() - dueAtNanos >= 0) {
                looking = true;
                Thread.ofVirtual().name("console-doctor").start(this::look);
            }
        }
        return latest;
    }

    private void look() {
        try {
            List<Finding> found = Doctor.examine(Host.here(), sources.config());
            latest = new Report(latest.number + 1, message(found));
        } finally {
            synchronized (this) {
                looking = false;
                dueAtNanos = System.nanoTime() + FRESH.toNanos();
            }
        }
    }

    private ObjectNode message(List<Finding> found) {
        ObjectNode message = JsonMapper.shared().createObjectNode();
        message.put("kind", "findings").put("at", System.currentTimeMillis());
        ArrayNode doctor = message.putArray("doctor");
        found.forEach(finding -> doctor.addObject().put("grade", finding.grade().name().toLowerCase(Locale.ROOT))
                .put("area", finding.area()).put("what", finding.what()).put("cure", finding.cure()));
        var report = sources.reconcile().report();
        message.put("reconciledAt", PodRows.millis(report.lastRunAtNanos()));
        ArrayNode reconciler = message.putArray("reconciler");
        report.findings().forEach(finding -> reconciler.addObject().put("kind", finding.kind())
                .put("subject", finding.subject()).put("action", finding.action()).put("error", finding.error())
                .put("at", PodRows.millis(finding.atNanos())));
        return message;
    }
}
