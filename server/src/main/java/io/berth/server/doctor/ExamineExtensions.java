package io.berth.server.doctor;

import io.berth.base.RuntimeFault;
import io.berth.server.config.Config;
import io.berth.server.extension.ExtensionJar;
import java.util.ArrayList;
import java.util.List;

/** Extensions in Java and plugins of NRI: what would be loaded and started. Runs nothing of them. */
final class ExamineExtensions implements Examination {

    private static final String AREA = "extensions";

    @Override
    public List<Finding> look(Host host, Config config) {
        List<Finding> found = new ArrayList<>();
        config.extensions().directory().ifPresent(directory -> {
            String refused = config.extensions().refuseOnFailure() ? ": every pull is refused until then" : "";
            List<ExtensionJar> jars;
            try {
                jars = ExtensionJar.in(host.path(directory));
            } catch (RuntimeFault fault) {
                found.add(Finding.problem(AREA, "there is no directory " + directory + " of extensions",
                        "make it, or unset extensions.directory" + refused));
                return;
            }
            if (jars.isEmpty()) {
                found.add(Finding.note(AREA, "there is no jar in " + directory, "see docs/extending.md, or unset extensions.directory"));
            }
            jars.forEach(jar -> found.add(jar.problem().map(problem -> Finding.problem(AREA, jar.name() + " is not loaded: "
                    + problem, "repair or remove it" + refused)).orElseGet(() -> Finding.fine(AREA, jar.name() + " in " + directory))));
        });
        if (!config.nri().disable()) {
            List<String> plugins = host.list(config.nri().pluginPath());
            found.add(Finding.fine(AREA, plugins.isEmpty() ? "no NRI plugins in " + config.nri().pluginPath()
                    : "NRI plugins in " + config.nri().pluginPath() + ": " + String.join(", ", plugins)));
        }
        return found;
    }
}
