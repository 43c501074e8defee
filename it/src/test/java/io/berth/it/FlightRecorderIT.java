package io.berth.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.berth.cli.scratch.PodClient;
import io.berth.cri.v1.StartContainerRequest;
import io.grpc.StatusRuntimeException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import jdk.jfr.consumer.RecordedEvent;
import jdk.jfr.consumer.RecordingFile;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** A flight recording of a daemon, begun and ended from outside as docs/operations.md says. */
@Timeout(120)
class FlightRecorderIT {

    @RegisterExtension
    private final TestDaemon daemon = TestDaemon.withBuiltinNetwork();

    private String jcmd(String... command) throws IOException, InterruptedException {
        List<String> line = new java.util.ArrayList<>(List.of(System.getProperty("java.home") + "/bin/jcmd",
                Integer.toString(daemon.pid())));
        line.addAll(List.of(command));
        Process process = new ProcessBuilder(line).redirectErrorStream(true).start();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertTrue(process.waitFor(60, TimeUnit.SECONDS));
        assertEquals(0, process.exitValue(), said);
        return said;
    }

    @Test
    void aRecordingHasCallsAndSteps() throws Exception {
        Path recording = daemon.node().directory().resolve("berth.jfr");
        jcmd("JFR.start", "name=berth");
        PodClient pods = daemon.pods();
        PodClient.Pod pod = pods.run(PodClient.config("recorded", daemon.node().logs()));
        assertThrows(StatusRuntimeException.class, () -> daemon.connection().runtime().startContainer(
                StartContainerRequest.newBuilder().setContainerId("0123456789ab").build()));
        pods.stop(pod);
        pods.remove(pod);
        jcmd("JFR.stop", "name=berth", "filename=" + recording);
        List<RecordedEvent> events = RecordingFile.readAllEvents(recording);
        RecordedEvent call = call(events, "RunPodSandbox");
        assertEquals("OK", call.getString("status"));
        assertEquals("default/recorded", call.getString("subject"));
        assertEquals("NOT_FOUND", call(events, "StartContainer").getString("status"));
        for (String step : List.of("namespaces", "network", "ready")) {
            RecordedEvent taken = events.stream().filter(event -> event.getEventType().getName().equals("berth.Step")
                    && event.getString("operation").equals("RunPodSandbox") && event.getString("step").equals(step)).findFirst()
                    .orElseThrow(() -> new AssertionError("no step " + step));
            assertEquals(pod.id(), taken.getString("subject"));
            assertEquals("", taken.getString("error"));
            assertTrue(!taken.getStartTime().isBefore(call.getStartTime()) && !taken.getEndTime().isAfter(call.getEndTime()),
                    step + " lies outside of its call");
        }
    }

    private static RecordedEvent call(List<RecordedEvent> events, String method) {
        return events.stream().filter(event -> event.getEventType().getName().equals("berth.Call")
                && event.getString("method").equals(method)).findFirst()
                .orElseThrow(() -> new AssertionError("no call of " + method));
    }
}
