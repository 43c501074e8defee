package io.berth.cli;

import io.berth.base.RuntimeFault;
import io.berth.cli.bench.BenchCommand;
import io.berth.cli.client.ExitCode;
import io.berth.cli.client.Failures;
import io.berth.cli.demo.DemoCommand;
import io.berth.cli.output.Screen;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;

/** Entry point of the {@code berth} command. */
@Command(name = "berth", description = "A Kubernetes container runtime: its daemon, and a client for it and for other runtimes"
        + " with the Container Runtime Interface.", mixinStandardHelpOptions = true,
        versionProvider = Main.Version.class, synopsisSubcommandLabel = "COMMAND",
        subcommands = {RunCommand.class, PodsCommand.class, PsCommand.class, LogsCommand.class, ExecCommand.class,
            AttachCommand.class, PortForwardCommand.class, CpCommand.class, CheckpointCommand.class, InspectCommand.class,
            StopCommand.class, RmCommand.class, StatsCommand.class, TopCommand.class, EventsCommand.class, TimelineCommand.class,
            ImagesCommand.class, PullCommand.class, RmiCommand.class, ImageCommand.class, DfCommand.class,
            StatusCommand.class, VersionCommand.class, ServeCommand.class, ConfigCommand.class, DoctorCommand.class,
            ConsoleCommand.class, CompletionCommand.class, ManualCommand.class, DemoCommand.class, BenchCommand.class},
        footerHeading = "%nExit codes:%n")
public final class Main {

    /** Commands that pass the exit code of a command in a container on, so that failures of their own need another one. */
    private static final Set<String> PASS_CODES_ON = Set.of("run", "exec", "attach");

    private static final Path SOCKET = Path.of("/run/berth/berth.sock");

    static final class Version implements CommandLine.IVersionProvider {
        @Override
        public String[] getVersion() {
            return new String[] {"berth " + io.berth.server.Daemon.version()};
        }
    }

    private Main() {}

    public static void main(String[] arguments) {
        int code = ServeCommand.plain(arguments).map(Main::serve).orElseGet(() -> commandLine().execute(arguments));
        if (code != 0 || !ServeCommand.isServing()) {
            System.exit(code);
        }
    }

    // The daemon as services start it does without the library for command lines: with its classes and the descriptions of
    // 30 commands it would take a fifth of a second and stay in memory for good.
    private static int serve(ServeCommand command) {
        try {
            return command.call();
        } catch (Exception failure) {
            return failed(failure, "serve", SOCKET, new PrintWriter(System.err, true));
        }
    }

    /** The whole command, ready to be executed or described. */
    static CommandLine commandLine() {
        CommandLine command = new CommandLine(new Main());
        // One implementation under two names, as in docker.
        CommandLine image = command.getSubcommands().get("image");
        add(image, "list", new ImagesCommand(), "  berth image list");
        add(image, "pull", new PullCommand(), "  berth image pull docker.io/library/busybox:1.36");
        command.getCommandSpec().usageMessage().footer(Arrays.stream(ExitCode.values())
                .map(code -> "  %-4d %s".formatted(code.number(), code.meaning())).toArray(String[]::new));
        // What follows the image or the container belongs to the command in it.
        List.of("run", "exec").forEach(name -> command.getSubcommands().get(name).setStopAtPositional(true));
        command.setCaseInsensitiveEnumValuesAllowed(true);
        command.setUsageHelpAutoWidth(true);
        command.setExecutionExceptionHandler((failure, line, parsed) -> failed(failure, line));
        command.setParameterExceptionHandler((failure, words) -> misused(failure));
        return command;
    }

    private static void add(CommandLine group, String name, Object command, String example) {
        CommandLine under = new CommandLine(command).setCommandName(name);
        under.getCommandSpec().usageMessage().footer(example);
        group.addSubcommand(name, under);
    }

    // One line, not the whole help: in a script's log the reason must not drown.
    private static int misused(CommandLine.ParameterException failure) {
        CommandLine line = failure.getCommandLine();
        line.getErr().println("berth: " + failure.getMessage().strip().replaceAll("\\s*\\R\\s*", "; ") + ": see \""
                + line.getCommandSpec().qualifiedName() + " --help\"");
        line.getErr().flush();
        return ExitCode.USAGE.number();
    }

    private static int failed(Exception failure, CommandLine line) {
        CommandSpec spec = line.getCommandSpec();
        return failed(failure, spec.name(), socket(spec), line.getErr());
    }

    private static int failed(Exception failure, String name, Path socket, PrintWriter err) {
        RuntimeFault fault = Failures.fault(failure, socket, name);
        err.println((Screen.isTerminal(2) ? Screen.bad("berth: ") : "berth: ") + fault.getMessage());
        if (fault.getCause() != null && System.getenv("BERTH_TRACE") != null) {
            failure.printStackTrace(err);
        }
        err.flush();
        ExitCode code = Failures.exitCode(fault);
        boolean ambiguous = code == ExitCode.FAILED || code == ExitCode.NOT_FOUND;
        return ambiguous && PASS_CODES_ON.contains(name) ? ExitCode.STREAM_FAILED.number() : code.number();
    }

    private static Path socket(CommandSpec spec) {
        return spec.mixins().values().stream().map(CommandSpec::userObject).filter(SocketOption.class::isInstance)
                .map(SocketOption.class::cast).map(SocketOption::path).findFirst().orElse(SOCKET);
    }
}
