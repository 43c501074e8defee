package io.berth.server.doctor;

import io.berth.server.config.Config;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** The pods' network: CNI's configuration and plugins, or what the built-in bridge needs. */
final class ExamineNetwork implements Examination {

    private static final String AREA = "network";

    @Override
    public List<Finding> look(Host host, Config config) {
        return switch (config.runtime().network()) {
            case CNI -> cni(host, config.runtime().cni());
            case BUILTIN -> List.of(Finding.fine(AREA, "built-in bridge " + config.runtime().builtin().bridge() + ", subnet "
                    + config.runtime().builtin().subnet()));
            case EXTENSION -> config.extensions().directory().isPresent()
                    ? List.of(Finding.fine(AREA, "an extension in " + config.extensions().directory().get()))
                    : List.of(Finding.problem(AREA, "runtime.network is \"extension\", and there is no directory of extensions",
                            "set extensions.directory"));
        };
    }

    private static List<Finding> cni(Host host, Config.Cni cni) {
        List<String> files = host.list(cni.confDir()).stream().filter(name -> name.matches(".*\\.(conflist|conf|json)")).toList();
        if (files.isEmpty()) {
            return List.of(Finding.problem(AREA, "no CNI configuration in " + cni.confDir() + ": pods get no network",
                    "install a network add-on (its DaemonSet writes the file), copy the sample"
                    + " /usr/share/doc/berth/10-berth-bridge.conflist, or set runtime.network = \"builtin\""));
        }
        List<Finding> found = new ArrayList<>();
        files.stream().limit(cni.maxConfNum()).forEach(name -> found.addAll(file(host, cni, name)));
        if (files.size() > cni.maxConfNum()) {
            found.add(Finding.note(AREA, "not used: " + String.join(", ", files.subList(cni.maxConfNum(), files.size())),
                    "the first " + cni.maxConfNum() + " by name count (runtime.cni.max_conf_num)"));
        }
        return found;
    }

    private static List<Finding> file(Host host, Config.Cni cni, String name) {
        Path file = cni.confDir().resolve(name);
        List<String> types = new ArrayList<>();
        try {
            JsonNode tree = JsonMapper.shared().readTree(host.read(file.toString()).orElse(""));
            JsonNode plugins = tree.path("plugins");
            if (plugins.isArray()) {
                plugins.forEach(plugin -> types.add(plugin.path("type").asString("")));
            } else {
                types.add(tree.path("type").asString(""));
            }
        } catch (JacksonException e) {
            return List.of(Finding.problem(AREA, file + " is not JSON", "correct it: " + e.getOriginalMessage()));
        }
        List<Finding> found = new ArrayList<>();
        for (String type : types) {
            Optional<Path> place = cni.binDirs().stream().map(directory -> directory.resolve(type.isEmpty() ? "?" : type))
                    .filter(path -> Files.isExecutable(host.path(path))).findFirst();
            if (place.isEmpty()) {
                found.add(Finding.problem(AREA, file + " names the plugin \"" + type + "\", which is in none of " + cni.binDirs(),
                        "install it (apt-get install containernetworking-plugins) or correct runtime.cni.bin_dirs"));
            }
        }
        if (found.isEmpty()) {
            found.add(Finding.fine(AREA, "CNI: " + file + " with " + String.join(", ", types)));
        }
        return found;
    }
}
