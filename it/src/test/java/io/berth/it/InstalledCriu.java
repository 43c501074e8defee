package io.berth.it;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.berth.linux.Command;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/** The CRIU that is in PATH, as the daemon finds it. Whether one works is a matter of its version and of the kernel's. */
final class InstalledCriu {

    private static final Duration LIMIT = Duration.ofSeconds(60);

    private InstalledCriu() {}

    /** Skips a test that needs one that works, with its version and its own words for why it does not. */
    static void require() {
        Optional<String> failure = failure();
        assumeTrue(failure.isEmpty(), failure::get);
    }

    /** Why it does not work on this kernel; empty when it does. */
    static Optional<String> failure() {
        Command.Output check = Command.of(List.of("criu", "check"), LIMIT).run();
        if (check.exitCode() == 0) {
            return Optional.empty();
        }
        String words = (check.stdoutText() + check.stderrText()).lines().filter(line -> line.contains("Error")).findFirst()
                .orElse("exit code " + check.exitCode());
        String version = Command.of(List.of("criu", "--version"), LIMIT).run().stdoutText().lines().findFirst().orElse("?");
        return Optional.of("the installed CRIU does not work on the kernel " + System.getProperty("os.version") + ": criu "
                + version.replace("Version: ", "") + " check: " + words.strip());
    }
}
