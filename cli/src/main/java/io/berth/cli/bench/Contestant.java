package io.berth.cli.bench;

import io.berth.api.v1.TimelineStep;
import io.berth.base.RuntimeFault;
import io.berth.cli.client.Connection;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/** A runtime that is measured: one that the bench started, or one behind a socket. Closed by the bench. */
interface Contestant extends AutoCloseable {

    /** What it is called in the results. */
    String name();

    /** The present connection; another one after {@link #restart}. */
    Connection connection();

    Path socket();

    /** Brings in the image of an OCI layout, under the name that its index gives. */
    void importImage(Path layout);

    /**
     * Ends the daemon and starts it again; containers run on.
     *
     * @return the time from the start of the process to its first answer, or empty where the daemon is not the bench's own
     */
    Optional<Duration> restart();

    /** The steps of a pod as the runtime itself tells them, oldest first; empty where it does not. */
    List<TimelineStep> timeline(String pod);

    /** The daemon's process. */
    default int daemon() {
        return SocketOwner.of(socket());
    }

    /** Text in the command lines of monitors that belong to this runtime. */
    String mark();

    /** Ends what the bench started; pods are gone by then. Idempotent. @throws RuntimeFault when something stays */
    @Override
    void close();
}
