package io.berth.cli;

import io.berth.base.RuntimeFault;
import io.berth.cli.bench.BenchCommand;
import io.berth.cli.demo.DemoCommand;
import io.grpc.StatusRuntimeException;
import picocli.CommandLine;
import picocli.CommandLine.Command;

/** Entry point of the {@code berth} command. */
@Command(name = "berth", description = "A Kubernetes container runtime.", mixinStandardHelpOptions = true,
        versionProvider = Main.Version.class, synopsisSubcommandLabel = "COMMAND",
        subcommands = {ServeCommand.class, ConfigCommand.class, ImageCommand.class, TimelineCommand.class,
            StatusCommand.class, DemoCommand.class, BenchCommand.class})
public final class Main {

    static final class Version implements CommandLine.IVersionProvider {
        @Override
        public String[] getVersion() {
            return new String[] {"berth " + io.berth.server.Daemon.version()};
        }
    }

    private Main() {}

    public static void main(String[] arguments) {
        CommandLine command = new CommandLine(new Main());
        command.setCaseInsensitiveEnumValuesAllowed(true);
        command.setExecutionExceptionHandler((failure, line, parsed) -> {
            line.getErr().println("berth: " + words(failure));
            return 1;
        });
        int code = command.execute(arguments);
        if (code != 0 || !ServeCommand.isServing()) {
            System.exit(code);
        }
    }

    private static String words(Exception failure) {
        return switch (failure) {
            case StatusRuntimeException status -> status.getStatus().getDescription() == null
                    ? status.getStatus().getCode().toString()
                    : status.getStatus().getDescription() + " (" + status.getStatus().getCode() + ")";
            case RuntimeFault fault -> fault.getMessage();
            default -> failure.toString();
        };
    }
}
