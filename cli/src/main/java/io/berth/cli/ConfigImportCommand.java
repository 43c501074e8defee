package io.berth.cli;

import io.berth.cli.client.DaemonFault;
import io.berth.cli.client.ExitCode;
import io.berth.cli.migrate.ForeignConfig;
import io.berth.cli.migrate.ImportContainerd;
import io.berth.cli.migrate.ImportCrio;
import io.berth.cli.migrate.Imported;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code berth config import}: another runtime's configuration in Berth's words. */
@Command(name = "import", description = "Translate containerd's config.toml or CRI-O's crio.conf: the configuration for Berth goes"
        + " to stdout, the report of what has no counterpart to stderr.", mixinStandardHelpOptions = true,
        footerHeading = "%nExamples:%n", footer = {"  berth config import /etc/containerd/config.toml > /tmp/berth.toml",
            "  berth config import /etc/crio/crio.conf /etc/crio/crio.conf.d/*"})
final class ConfigImportCommand implements Callable<Integer> {

    /** Whose file it is. */
    enum Source { AUTO, CONTAINERD, CRIO }

    @Option(names = "--from", paramLabel = "RUNTIME", defaultValue = "auto",
            description = "containerd, crio or auto, which looks into the file; default: ${DEFAULT-VALUE}.")
    private Source source;

    @Parameters(paramLabel = "FILE", arity = "1..*", description = "The file, and others whose keys win over it, such as"
            + " CRI-O's drop-ins. What containerd's imports name is read without being named here.")
    private List<Path> files;

    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() {
        String names = files.stream().map(Path::toString).collect(Collectors.joining(" "));
        ForeignConfig foreign = ForeignConfig.read(files);
        Imported imported = switch (source == Source.AUTO ? guess(foreign) : source) {
            case CONTAINERD -> ImportContainerd.of(foreign);
            case CRIO -> ImportCrio.of(foreign);
            case AUTO -> throw new DaemonFault(ExitCode.USAGE, "import " + names
                    + ": neither containerd's tables nor CRI-O's are in it: say --from containerd or --from crio");
        };
        PrintWriter out = spec.commandLine().getOut();
        out.print(imported.toml(names));
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
