package io.berth.cli;

import io.berth.base.RuntimeFault;
import io.berth.cli.client.Connection;
import io.berth.cli.client.Failures;
import io.berth.cli.output.Format;
import io.berth.cli.output.Screen;
import io.berth.cli.output.Structured;
import io.berth.cri.v1.StatusRequest;
import io.berth.server.Daemon;
import io.berth.server.config.ConfigFile;
import io.berth.server.doctor.Doctor;
import io.berth.server.doctor.Finding.Grade;
import io.berth.server.doctor.Finding;
import io.berth.server.doctor.Host;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/** {@code berth doctor}: whether this machine can run pods well, and what to do where it cannot. */
@Command(name = "doctor", description = "Look at the kernel, cgroups, runtimes, network, registries, disk, clock and daemon"
        + " of this machine; each finding comes with its cure. Exit code 1 when there is a problem. Nothing is changed.",
        mixinStandardHelpOptions = true, footerHeading = "%nExamples:%n", footer = {"  berth doctor",
            "  berth doctor --config /tmp/new.toml -o json"})
final class DoctorCommand implements Callable<Integer> {

    private static final Duration PATIENCE = Duration.ofSeconds(5);

    @Option(names = "--config", paramLabel = "FILE", description = "Configuration; default: /etc/berth/config.toml.")
    private Optional<Path> config = Optional.empty();

    @Option(names = "--problems", description = "Leave out what is fine.")
    private boolean problems;

    @Option(names = {"-o", "--output"}, paramLabel = "FORMAT", defaultValue = "table",
            description = "table, json or yaml; default: ${DEFAULT-VALUE}.")
    private Format format;

    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() {
        ConfigFile.Loaded loaded = ConfigFile.load(config, Map.of());
        List<Finding> found = new ArrayList<>(Doctor.examine(Host.here(), loaded.config()));
        found.addAll(daemon(loaded.config().grpc().address()));
        List<Finding> shown = found.stream().filter(each -> !problems || each.grade() != Grade.FINE).toList();
        PrintWriter out = spec.commandLine().getOut();
        switch (format) {
            case TABLE, WIDE -> print(out, shown);
            case JSON, YAML -> out.println(Structured.text(tree(shown), format));
        }
        out.flush();
        return found.stream().anyMatch(each -> each.grade() == Grade.PROBLEM) ? 1 : 0;
    }

    private static List<Finding> daemon(Path socket) {
        try (Connection berth = Connection.toLively(socket, PATIENCE)) {
            List<Finding> found = new ArrayList<>();
            String version = berth.version().getRuntimeVersion();
            found.add(version.equals(Daemon.version()) ? new Finding(Grade.FINE, "daemon", "berth " + version + " answers", "")
                    : new Finding(Grade.NOTE, "daemon", "it is " + version + ", this command " + Daemon.version(),
                            "restart the daemon after an upgrade: containers run on"));
            berth.runtime().status(StatusRequest.getDefaultInstance()).getStatus().getConditionsList().stream()
                    .filter(condition -> !condition.getStatus())
                    .forEach(condition -> found.add(new Finding(Grade.PROBLEM, "daemon", condition.getType() + " is false: "
                            + condition.getMessage(), "see the network findings above and journalctl -u berth")));
            return found;
        } catch (RuntimeFault fault) {
            String cure = switch (Failures.exitCode(fault)) {
                case NOT_PERMITTED -> "run this with sudo: what only root may see is missing above, too";
                case DAEMON_HUNG, OTHER_VERSION -> "restart it when the rest is fine: containers run on";
                case OK, FAILED, USAGE, NOT_FOUND, DAEMON_DOWN, STREAM_FAILED -> "start it when the rest is fine";
            };
            return List.of(new Finding(Grade.NOTE, "daemon", fault.getMessage(), cure));
        }
    }

    private static void print(PrintWriter out, List<Finding> found) {
        for (Finding each : found) {
            out.println(word(each.grade()) + "  " + "%-10s".formatted(each.area()) + "  " + each.what());
            if (!each.cure().isEmpty()) {
                out.println("                     cure: " + each.cure());
            }
        }
        long bad = found.stream().filter(each -> each.grade() == Grade.PROBLEM).count();
        long warnings = found.stream().filter(each -> each.grade() == Grade.WARNING).count();
        out.println(bad + (bad == 1 ? " problem, " : " problems, ") + warnings + (warnings == 1 ? " warning" : " warnings"));
    }

    private static String word(Grade grade) {
        return switch (grade) {
            case FINE -> Screen.good("fine   ");
            case NOTE -> "note   ";
            case WARNING -> Screen.warning("warning");
            case PROBLEM -> Screen.bad("PROBLEM");
        };
    }

    private static ArrayNode tree(List<Finding> found) {
        ArrayNode all = JsonMapper.shared().createArrayNode();
        for (Finding each : found) {
            ObjectNode one = all.addObject();
            one.put("grade", each.grade().name().toLowerCase(Locale.ROOT)).put("area", each.area())
                    .put("what", each.what()).put("cure", each.cure());
        }
        return all;
    }
}
