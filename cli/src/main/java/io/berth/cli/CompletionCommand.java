package io.berth.cli;

import java.util.concurrent.Callable;
import picocli.AutoComplete;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** {@code berth completion}: the script by which a shell completes this command's words. */
@Command(name = "completion", description = "Print the script by which bash or zsh completes the words of this command.",
        mixinStandardHelpOptions = true, footerHeading = "%nExamples:%n", footer = {"  source <(berth completion)",
            "  berth completion > /etc/bash_completion.d/berth"})
final class CompletionCommand implements Callable<Integer> {

    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() {
        spec.commandLine().getOut().print(AutoComplete.bash("berth", spec.root().commandLine()));
        spec.commandLine().getOut().flush();
        return 0;
    }
}
