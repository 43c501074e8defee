package io.berth.cli;

import io.berth.base.RuntimeFault;
import io.berth.cli.manual.ManualPage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code berth manual}: manual pages of all commands, for packages. */
@Command(name = "manual", description = "Write the manual pages of all commands into a directory.", hidden = true,
        mixinStandardHelpOptions = true)
final class ManualCommand implements Callable<Integer> {

    @Parameters(paramLabel = "DIR", description = "Where to write them; it is made.")
    private Path directory;

    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() {
        write(spec.root().commandLine());
        return 0;
    }

    private void write(CommandLine command) {
        ManualPage page = new ManualPage(command.getCommandSpec());
        try {
            Files.createDirectories(directory);
            Files.writeString(directory.resolve(page.name() + ".1"), page.text());
        } catch (IOException e) {
            throw RuntimeFault.internal("write manual page " + page.name() + ": " + RuntimeFault.reason(e), e);
        }
        command.getSubcommands().values().stream().filter(each -> !each.getCommandSpec().usageMessage().hidden())
                .forEach(this::write);
    }
}
