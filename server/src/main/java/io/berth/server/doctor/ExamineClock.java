package io.berth.server.doctor;

import io.berth.server.config.Config;
import java.nio.file.Files;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/** The clock: certificates, image signatures and log times hang on it. */
final class ExamineClock implements Examination {

    private static final String AREA = "clock";
    /** When this was written: no clock that is right can be before. */
    private static final Instant LEAST = Instant.parse("2026-01-01T00:00:00Z");

    @Override
    public List<Finding> look(Host host, Config config) {
        if (Instant.now().isBefore(LEAST)) {
            return List.of(Finding.problem(AREA, "it says " + Instant.now() + ", which is past: certificates will not be valid",
                    "set it, and let it be kept: apt-get install chrony"));
        }
        Optional<String> told = host.run("timedatectl", "show", "-p", "NTPSynchronized", "--value");
        if (told.filter("yes"::equals).isPresent() || Files.exists(host.path("/run/systemd/timesync/synchronized"))
                || host.run("chronyc", "-n", "tracking").filter(text -> text.contains("Leap status     : Normal")).isPresent()) {
            return List.of(Finding.fine(AREA, "kept by a time server"));
        }
        return List.of(Finding.note(AREA, "nothing tells that a time server keeps it",
                "apt-get install chrony, unless the machine under this one keeps it"));
    }
}
