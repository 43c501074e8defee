package io.berth.server.config;

import io.berth.server.config.Config.Extensions;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/** The keys below {@code [extensions]}. */
final class ExtensionKeys {

    private ExtensionKeys() {}

    static Extensions read(ConfigTable table) {
        String directory = table.text("extensions.directory", "");
        if (!directory.isEmpty() && !directory.startsWith("/")) {
            table.problem("extensions.directory = \"" + directory + "\": an absolute path is needed");
        }
        Duration timeout = table.duration("extensions.call_timeout", "10s");
        if (timeout.isNegative() || timeout.isZero()) {
            table.problem("extensions.call_timeout = \"" + timeout + "\": more than zero is needed");
        }
        String failure = table.text("extensions.image_policy_failure", "refuse");
        if (!List.of("refuse", "accept").contains(failure)) {
            table.problem("extensions.image_policy_failure = \"" + failure + "\": refuse or accept is needed");
        }
        return new Extensions(Optional.of(directory).filter(text -> !text.isEmpty()).map(Path::of), timeout,
                !failure.equals("accept"));
    }
}
