package io.berth.embedded;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.berth.cli.scratch.BusyboxImage;
import io.berth.embedded.junit.BerthExtension;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/** The sample of docs/embedding.md. */
class WebServerSampleIT {

    // sample begins
    @RegisterExtension
    static final BerthExtension BERTH = BerthExtension.with(BerthOptions.temporary());

    @BeforeAll
    static void image(@TempDir Path directory) {
        // Your own image would come from a registry, by its name in run(…).
        BusyboxImage.write(directory, "hello from a pod");
        BERTH.berth().importImage(directory);
    }

    @Test
    void aPodServesItsPage() throws Exception {
        EmbeddedPod pod = BERTH.run(BusyboxImage.NAME, "sh", "-c", "httpd -p 8080 -h /www && echo ready && sleep 1000");
        pod.awaitLog("ready", Duration.ofSeconds(10));
        try (var page = URI.create("http://" + pod.address() + ":8080/").toURL().openStream()) {
            assertEquals("hello from a pod", new String(page.readAllBytes(), StandardCharsets.UTF_8));
        }
        assertEquals("/", pod.exec("pwd").output().strip());
    }
    // sample ends
}
