package io.berth.cli;

import io.berth.cli.client.DaemonFault;
import io.berth.cli.client.ExitCode;
import io.berth.cli.migrate.ForeignConfig;
import io.berth.cli.migrate.ImportContainerd;
import io.berth.cli.migrate.ImportCrio;
import io.berth.cli.migrate.Imported;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code berth config import}: another runtime's configuration in Berth's words. */
@Command(name = "import", description = "Translate containerd's config.toml or CRI-O's crio.conf: the configuration for Berth goes"
        + " to stdout, the report of what has no counterpart to stderr.", mixinStandardHelpOptions = true,
        footerHeading = "%nExamples:%n", footer = {"  berth config import /etc/containerd/config.toml > /tmp/berth.toml",
            "  berth config import --from crio /etc/crio/crio.conf.d/10-crio.conf"})
final class ConfigImportCommand implements Callable<Integer> {

    /** Whose file it is. */
    enum Source { AUTO, CONTAINERD, CRIO }

    @Option(names = "--from", paramLabel = "RUNTIME", defaultValue = "auto",
            description = "containerd, crio or auto, which looks into the file; default: ${DEFAULT-VALUE}.")
    private Source source;

    @Parameters(paramLabel = "FILE", description = "The file.")
    private Path file;

    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() {
        ForeignConfig foreign = ForeignConfig.read(file);
        Imported imported = switch (source == Source.AUTO ? guess(foreign) : source) {
            case CONTAINERD -> ImportContainerd.of(foreign);
            case CRIO -> ImportCrio.of(foreign);
            case AUTO -> throw new DaemonFault(ExitCode.USAGE, "import " + file
                    + ": neither containerd's tables nor CRI-O's are in it: say --from containerd or --from crio");
        };
        PrintWriter out = spec.commandLine().getOut();
        out.print(imported.toml(file.toString()));
        out.flush();
        PrintWriter err = spec.commandLine().getErr();
        imported.report().forEach(err::println);
        err.flush();
        return 0;
    }

    private static Source guess(ForeignConfig foreign) {
        return foreign.hasTable("crio") ? Source.CRIO
                : foreign.hasTable("plugins") || foreign.values().containsKey("version") ? Source.CONTAINERD : Source.AUTO;
    }
}
