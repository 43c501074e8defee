package io.berth.cli.demo;

import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** {@code berth demo}. Exit code 0 only when every step worked and nothing is left. */
@Command(name = "demo", mixinStandardHelpOptions = true, footerHeading = "%nExamples:%n", footer = "  berth demo",
        description = {
    "Run a pod with a daemon of its own, show what happens, and remove everything.",
    "Needs root. Works in a temporary directory with its own bridge, subnet and cgroup; a runtime that this node has is not"
            + " touched."})
public final class DemoCommand implements Callable<Integer> {

    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() {
        return new Demo(new DemoOutput(spec.commandLine().getOut())).run() ? 0 : 1;
    }
}
