package io.berth.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** A daemon that was not asked for a console or for traces. */
@Timeout(60)
class ConsoleOffIT {

    private static final Path LOADED = Path.of("target/console-off-classes.log").toAbsolutePath();

    @RegisterExtension
    private final TestDaemon daemon = TestDaemon.withOptions("", "-Xlog:class+load=info:file=" + LOADED);

    @Test
    void nothingListensAndNoClassOfConsoleAndTracesIsLoaded() throws Exception {
        assertFalse(Files.exists(daemon.node().state().resolve("console.url")));
        BerthCommand.Result told = new BerthCommand(daemon).run("console");
        assertEquals(1, told.code());
        assertTrue(told.err().contains("set console.enable = true"), told.err());
        List<String> loaded = Files.readAllLines(LOADED);
        assertTrue(loaded.stream().anyMatch(line -> line.contains("io.berth.server.Daemon ")), "the list of classes is empty");
        assertEquals(List.of(), loaded.stream().filter(line -> line.contains("io.berth.server.console.")
                && !line.contains("console.Console ")
                || line.contains("sun.net.httpserver") || line.contains("io.opentelemetry")).toList());
    }
}
