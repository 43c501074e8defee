package io.berth.cli.bench;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code berth bench}. Exit code 0 only when everything was measured and nothing of it is left. */
@Command(name = "bench", mixinStandardHelpOptions = true, footerHeading = "%nExamples:%n", footer = {"  berth bench",
    "  berth bench pods --against-containerd --runtime crun --svg pod.svg",
    "  berth bench memory start list pull --against-containerd -o json"}, description = {
    "Measure Berth over the CRI, side by side with other runtimes.",
    "Needs root. Without --socket it starts a Berth of its own, in a temporary directory. All contestants take turns, with"
            + " the same image, OCI runtime and CNI plugins. A ratio is Berth's median divided by the other's."})
public final class BenchCommand implements Callable<Integer> {

    enum Format { table, json }

    @Parameters(paramLabel = "KIND", arity = "0..*", description = "pods, exec, parallel, list, pull, memory or start;"
            + " default: pods exec parallel.")
    private List<Kind> kinds = List.of();

    @Option(names = "--socket", paramLabel = "PATH", description = "Measure the Berth that listens here.")
    private Optional<Path> socket = Optional.empty();

    @Option(names = "--against", paramLabel = "SOCKET", description = "A peer that runs; may be repeated.")
    private List<Path> against = new ArrayList<>();

    @Option(names = "--against-containerd", description = "Start the node's containerd as a peer.")
    private boolean againstContainerd;

    @Option(names = "--runtime", paramLabel = "NAME", defaultValue = "runc",
            description = "OCI runtime of those that the bench starts: runc (default) or crun.")
    private String runtime;

    @Option(names = "--network", paramLabel = "cni|builtin", defaultValue = "cni",
            description = "Berth's network; default: ${DEFAULT-VALUE}. Peers use the CNI plugins.")
    private String network;

    @Option(names = "--masquerade", description = "Let the CNI chain masquerade.")
    private boolean masquerade;

    @Option(names = "--rounds", paramLabel = "N", defaultValue = "20", description = "Default: ${DEFAULT-VALUE}.")
    private int rounds;

    @Option(names = "--pause", paramLabel = "MILLIS", defaultValue = "0", description = "Wait before each pod of the kind pods,"
            + " as on a node where they come one by one: sandboxes are made ahead meanwhile. Default: ${DEFAULT-VALUE}.")
    private int pauseMillis;

    @Option(names = "--pods", paramLabel = "N", defaultValue = "50",
            description = "Most pods for memory; a fifth of them at once for parallel. Default: ${DEFAULT-VALUE}.")
    private int pods;

    @Option(names = "--containers", paramLabel = "N", defaultValue = "500",
            description = "Containers to list; at most 200 of them to find again at a start. Default: ${DEFAULT-VALUE}.")
    private int containers;

    @Option(names = {"-o", "--output"}, paramLabel = "table|json", defaultValue = "table",
            description = "Default: ${DEFAULT-VALUE}.")
    private Format output;

    @Option(names = "--svg", paramLabel = "FILE", description = "Draw one more pod of each, call by call and step by step.")
    private Optional<Path> svg = Optional.empty();

    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() throws IOException {
        BenchSettings settings = settings();
        Bench bench = new Bench(settings, words -> System.err.println("berth: " + words));
        Thread cleanUp = Thread.ofPlatform().name("clean-up").unstarted(bench::close);
        Runtime.getRuntime().addShutdownHook(cleanUp);
        try (bench) {
            bench.prepare();
            bench.measure();
            if (svg.isPresent()) {
                Files.writeString(svg.get(), bench.picture());
            }
            print(bench, settings);
        }
        Runtime.getRuntime().removeShutdownHook(cleanUp);
        return 0;
    }

    private BenchSettings settings() {
        if (rounds < 1 || pods < 1 || containers < 1 || pauseMillis < 0) {
            throw new picocli.CommandLine.ParameterException(spec.commandLine(), "numbers begin at 1, a pause at 0");
        }
        if (!List.of("cni", "builtin").contains(network)) {
            throw new picocli.CommandLine.ParameterException(spec.commandLine(), "--network is cni or builtin");
        }
        return new BenchSettings(kinds.isEmpty() ? List.of(Kind.PODS, Kind.EXEC, Kind.PARALLEL) : kinds, socket, against,
                againstContainerd, runtime, network.equals("builtin"), masquerade, rounds,
                Duration.ofMillis(pauseMillis), pods, containers);
    }

    private void print(Bench bench, BenchSettings settings) {
        PrintWriter out = spec.commandLine().getOut();
        Map<String, Object> conditions = new LinkedHashMap<>();
        conditions.put("runtime", settings.runtime());
        conditions.put("network", network + (masquerade ? ", masquerade" : ""));
        conditions.put("rounds", settings.rounds());
        if (pauseMillis > 0) {
            conditions.put("pause", pauseMillis + " ms");
        }
        conditions.put("processors", Runtime.getRuntime().availableProcessors());
        switch (output) {
            case table -> {
                out.println(conditions.toString().replaceAll("[{}]", ""));
                ResultsTable.lines(bench.results(), bench.names()).forEach(out::println);
            }
            case json -> out.println(ResultsJson.text(bench.results(), bench.names(), conditions));
        }
        out.flush();
    }
}
