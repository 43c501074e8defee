package io.berth.cli;

import io.berth.server.config.ConfigFile;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.Collection;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code berth config}: checks the configuration and prints what holds. */
@Command(name = "config", description = "Check the configuration and print every key with the value that holds.",
        mixinStandardHelpOptions = true)
final class ConfigCommand implements Callable<Integer> {

    @Option(names = "--config", paramLabel = "FILE", description = "Configuration; default: /etc/berth/config.toml.")
    private Optional<Path> config = Optional.empty();

    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() {
        PrintWriter out = spec.commandLine().getOut();
        ConfigFile.load(config, Map.of()).effective().forEach((key, value) -> out.println(key + " = " + toml(value)));
        out.flush();
        return 0;
    }

    private static String toml(Object value) {
        return switch (value) {
            case String text -> '"' + text.replace("\\", "\\\\").replace("\"", "\\\"") + '"';
            case Collection<?> list -> ((Collection<?>) list).stream().map(ConfigCommand::toml)
                    .collect(Collectors.joining(", ", "[", "]"));
            default -> String.valueOf(value);
        };
    }
}
