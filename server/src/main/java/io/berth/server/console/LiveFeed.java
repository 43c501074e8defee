package io.berth.server.console;

import io.berth.image.PullProgress;
import io.berth.pod.Node;
import java.util.ArrayList;
import java.util.List;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/**
 * What one open page is told: first all, then each part anew when it has changed. It looks at memory twice a second and sends
 * nothing when nothing happens, but for a sign of life. Used by one thread.
 */
final class LiveFeed {

    private static final long TICK_MILLIS = 500;
    private static final int ALIVE_TICKS = 20;

    private final ConsoleSources sources;
    private final RecentEvents events;
    private final UsageHistory usage;
    private final NodeFindings findings;
    private final JsonLines out;

    private List<Object> seenRecords = List.of();
    private List<PullProgress.Snapshot> seenPulls = List.of();
    private ObjectNode seenNode = JsonMapper.shared().createObjectNode();
    private long seenEvent;
    private long seenSample;
    private long seenFindings;
    private int silentTicks;

    LiveFeed(ConsoleSources sources, RecentEvents events, UsageHistory usage, NodeFindings findings, JsonLines out) {
        this.sources = sources;
        this.events = events;
        this.usage = usage;
        this.findings = findings;
        this.out = out;
    }

    /** Feeds until the page goes or this thread is interrupted. */
    void run() {
        send(PodRows.message(sources.node().inventory().sandboxes(), sources.node().inventory().containers()));
        while (!Thread.currentThread().isInterrupted()) {
            tick();
            try {
                Thread.sleep(TICK_MILLIS);
            } catch (InterruptedException anotherPageOrTheEnd) {
                return;
            }
        }
    }

    private void tick() {
        silentTicks++;
        node();
        records();
        pulls();
        events.after(seenEvent).forEach(event -> {
            seenEvent = event.number();
            send(event.message());
        });
        List<UsageHistory.Sample> samples = usage.after(seenSample);
        if (!samples.isEmpty()) {
            seenSample = samples.getLast().number();
            send(UsageHistory.message(samples));
        }
        NodeFindings.Report report = findings.latest();
        if (report.number() != seenFindings) {
            seenFindings = report.number();
            send(report.message());
        }
        if (silentTicks >= ALIVE_TICKS) {
            send(JsonMapper.shared().createObjectNode().put("kind", "alive"));
        }
    }

    private void node() {
        ObjectNode now = NodeFacts.message(sources);
        if (!now.equals(seenNode)) {
            seenNode = now;
            send(now);
        }
    }

    // Records are immutable, so a change is another object.
    private void records() {
        Node node = sources.node();
        var sandboxes = node.inventory().sandboxes();
        var containers = node.inventory().containers();
        List<Object> now = new ArrayList<>(sandboxes.size() + containers.size());
        now.addAll(sandboxes);
        now.addAll(containers);
        boolean same = now.size() == seenRecords.size();
        for (int i = 0; same && i < now.size(); i++) {
            same = now.get(i) == seenRecords.get(i);
        }
        if (!same) {
            seenRecords = now;
            send(PodRows.message(sandboxes, containers));
        }
    }

    private void pulls() {
        List<PullProgress.Snapshot> now = sources.pulls().progress();
        if (!now.equals(seenPulls)) {
            seenPulls = now;
            send(PullRows.message(now));
        }
    }

    private void send(ObjectNode message) {
        silentTicks = 0;
        out.send(message);
    }
}
