package io.berth.pod.container;

import io.berth.base.RuntimeFault;
import io.berth.base.UnixTime;
import io.berth.pod.Node;
import io.berth.pod.record.Container;
import io.berth.pod.record.ProcessIdentity;
import java.time.Duration;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Finds containers that ended without a word: their monitor was killed with them, or the machine was started anew. The one
 * signal, the exit file, is not trusted to come.
 */
public final class LostEnds {

    private static final Logger LOG = LoggerFactory.getLogger(LostEnds.class);
    private static final int UNKNOWN_CODE = 255;

    private final Node node;

    public LostEnds(Node node) {
        this.node = node;
    }

    /** Looks at every live container again and again, on a thread of its own, until that is interrupted. */
    public Thread watch(Duration period) {
        return Thread.ofVirtual().name("lost-ends").start(() -> {
            try {
                while (true) {
                    Thread.sleep(period);
                    node.inventory().containers().stream().filter(Container::isLive).forEach(this::checkSafely);
                }
            } catch (InterruptedException ended) {
                LOG.atDebug().log("watch for lost ends ended");
            }
        });
    }

    private void checkSafely(Container container) {
        try {
            check(container);
        } catch (RuntimeFault e) {
            LOG.atWarn().addKeyValue("container", container.id()).setCause(e).log("cannot tell whether it runs");
        }
    }

    /** Records the end of a live container of which neither the process nor the monitor is there any more. */
    public void check(Container container) {
        if (container.awaitsRestore()) {
            // Nothing of it runs that could have ended; whoever restores it just now knows best.
            return;
        }
        boolean alive = container.init().map(ProcessIdentity::isAlive).orElse(false);
        if (!alive && !node.runtime(container.handler()).isWatched(container.id()) && !node.exits().takeUp(container.id())) {
            node.exits().record(container.id(), UNKNOWN_CODE, UnixTime.now(),
                    "it ended while nothing watched it (a reboot, or its monitor was killed): the exit code is lost");
        }
    }
}
