package io.berth.cli;

import io.berth.base.RuntimeFault;
import io.berth.cli.manual.ConfigPage;
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

/** {@code berth manual}: manual pages of all commands and of the configuration, for packages. */
@Command(name = "manual", description = "Write the manual pages of all commands and of the configuration into a"
        + " directory.", hidden = true,
        mixinStandardHelpOptions = true)
final class ManualCommand implements Callable<Integer> {

    @Parameters(paramLabel = "DIR", description = "Where man1 and man5 are; they are made.")
    private Path directory;

    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() {
        write(spec.root().commandLine());
        write("man5/berth-config.5", new ConfigPage().text());
        return 0;
    }

    private void write(CommandLine command) {
        ManualPage page = new ManualPage(command.getCommandSpec());
        write("man1/" + page.name() + ".1", page.text());
        command.getSubcommands().values().stream().filter(each -> !each.getCommandSpec().usageMessage().hidden())
                .forEach(this::write);
    }

    private void write(String name, String text) {
        Path page = directory.resolve(name);
        try {
            Files.createDirectories(page.getParent());
            Files.writeString(page, text);
        } catch (IOException e) {
            throw RuntimeFault.internal("write manual page " + page + ": " + RuntimeFault.reason(e), e);
        }
    }
}
