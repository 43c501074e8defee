package io.berth.cli;

import io.berth.server.config.ConfigFile;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code berth config check}: whether a daemon would start with a file. */
@Command(name = "check", description = "Check a configuration file, with the drop-ins beside it, without starting anything."
        + " All problems are told at once.", mixinStandardHelpOptions = true, footerHeading = "%nExamples:%n",
        footer = "  berth config check /tmp/new.toml")
final class ConfigCheckCommand implements Callable<Integer> {

    @Parameters(paramLabel = "FILE", description = "The file.")
    private Path file;

    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() {
        PrintWriter out = spec.commandLine().getOut();
        ConfigFile.Loaded loaded = ConfigFile.load(Optional.of(file), Map.of());
        long set = loaded.origins().values().stream().filter(origin -> !origin.equals("default")).count();
        out.println(file + ": fine, " + set + " of " + loaded.origins().size() + " keys are set");
        out.flush();
        return 0;
    }
}
