package io.berth.it;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.berth.cli.scratch.PodClient;
import io.berth.cri.v1.AttachRequest;
import io.berth.cri.v1.ContainerState;
import io.berth.streaming.client.ChannelClient;
import java.net.URI;
import java.time.Duration;
import java.util.List;
import javax.net.SocketFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** A client that is attached and stops reading does not stop the container, its log or others who are attached. */
@Timeout(120)
class StalledClientFaultIT {

    private static final int LINES = 400_000;

    @RegisterExtension
    private final TestDaemon daemon = TestDaemon.withBuiltinNetwork();

    private ChannelClient attach(String container) throws Exception {
        String url = daemon.connection().runtime().attach(AttachRequest.newBuilder().setContainerId(container)
                .setStdout(true).build()).getUrl();
        ChannelClient client = ChannelClient.connect(URI.create(url), List.of("v5.channel.k8s.io"),
                SocketFactory.getDefault());
        // The first message says that it is attached.
        client.receive();
        return client;
    }

    @Test
    void theContainerAndItsLogGoOn() throws Exception {
        TestImages.busybox(daemon);
        var pod = daemon.pods().run(PodClient.config("pod", daemon.node().logs()));
        // About 40 MB: more than all the buffers on the way to a client hold.
        String container = daemon.pods().create(pod, PodClient.container("c", "sh", "-c",
                "yes 'a line of a hundred bytes or so, a line of a hundred bytes or so, a line of a hundred bytes or so' | head -n "
                        + LINES + "; echo end"));
        try (ChannelClient stalled = attach(container)) {
            daemon.pods().start(container);
            assertEquals(ContainerState.CONTAINER_EXITED,
                    daemon.pods().awaitExit(container, Duration.ofSeconds(60)).getState());
            // What was cut in two by a read of the monitor's is one line all the same: only its last part has an F.
            List<String> log = daemon.log("pod", "c").lines().filter(line -> line.contains(" stdout F ")).toList();
            assertEquals(LINES + 1, log.size());
            assertEquals("stdout F end", log.getLast().substring(log.getLast().indexOf(' ') + 1));
        }
        daemon.pods().stop(pod);
        daemon.pods().remove(pod);
        daemon.assertNothingLeft();
    }
}
