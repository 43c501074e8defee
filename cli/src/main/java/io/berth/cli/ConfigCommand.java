package io.berth.cli;

import io.berth.cli.output.Format;
import io.berth.cli.output.Structured;
import io.berth.cli.output.TomlValue;
import io.berth.server.config.ConfigFile;
import io.berth.server.config.KeyReference;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/** {@code berth config}: checks the configuration and prints what holds. */
@Command(name = "config", description = "Check the configuration and print every key with the value that holds and where it"
        + " comes from.", mixinStandardHelpOptions = true, subcommands = {ConfigCheckCommand.class, ConfigImportCommand.class},
        footerHeading = "%nExamples:%n", footer = {"  berth config",
            "  berth config -o wide | grep -B1 console", "  berth config check /tmp/new.toml",
            "  berth config import /etc/containerd/config.toml > /etc/berth/config.toml"})
final class ConfigCommand implements Callable<Integer> {

    @Option(names = "--config", paramLabel = "FILE", description = "Configuration; default: /etc/berth/config.toml.")
    private Optional<Path> config = Optional.empty();

    @Option(names = {"-o", "--output"}, paramLabel = "FORMAT", defaultValue = "table",
            description = "table (which is TOML with comments), wide (with what each key means), json or yaml; default:"
                    + " ${DEFAULT-VALUE}.")
    private Format format;

    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() {
        PrintWriter out = spec.commandLine().getOut();
        ConfigFile.Loaded loaded = ConfigFile.load(config, Map.of());
        switch (format) {
            case TABLE -> loaded.effective().keySet().forEach(key -> out.println(line(loaded, key)));
            case WIDE -> KeyReference.meanings(loaded.effective().keySet()).forEach((key, meaning) ->
                    out.println("# " + meaning.replace("`", "") + "\n" + line(loaded, key) + "\n"));
            case JSON, YAML -> out.println(Structured.text(tree(loaded), format));
        }
        out.flush();
        return 0;
    }

    private static String line(ConfigFile.Loaded loaded, String key) {
        return "%-70s # %s".formatted(key + " = " + TomlValue.of(loaded.effective().get(key)), loaded.origins().get(key));
    }

    private static ObjectNode tree(ConfigFile.Loaded loaded) {
        ObjectNode tree = JsonMapper.shared().createObjectNode();
        loaded.effective().forEach((key, value) -> {
            ObjectNode entry = tree.putObject(key);
            entry.set("value", JsonMapper.shared().valueToTree(value));
            entry.put("origin", loaded.origins().get(key));
        });
        return tree;
    }
}
