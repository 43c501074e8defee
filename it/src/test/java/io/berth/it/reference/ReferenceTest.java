package io.berth.it.reference;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.berth.base.RuntimeFault;
import io.berth.cli.client.ExitCode;
import io.berth.cli.output.TomlValue;
import io.berth.server.config.KeyReference;
import io.berth.server.metrics.Metric;
import io.berth.server.rpc.Answers;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/**
 * The references of configuration, metrics and errors are made from the code: each of these tests fails when the document does
 * not say what the code does. With {@code -Dberth.reference=write} they bring the documents up to date instead.
 */
class ReferenceTest {

    private static final Path HOME = Path.of("..");
    /** With what the daemon fails; cli fails in a person's terminal, the rest carries only generated code. */
    private static final List<String> DAEMON = List.of("server", "pod", "runtime", "shim", "nri", "network", "image", "snapshot",
            "store", "streaming", "ttrpc", "linux", "base");

    private static void assertUpToDate(Path path, Map<String, List<String>> parts) throws IOException {
        Document document = new Document(path);
        String wanted = document.with(parts);
        if ("write".equals(System.getProperty("berth.reference"))) {
            Files.writeString(path, wanted);
        }
        assertEquals(wanted, document.text(), () -> path + " does not say what the code does. Bring it up to date with:"
                + " mvn -q -pl it -am test -Dtest.pattern='**/ReferenceTest' -Dsurefire.failIfNoSpecifiedTests=false"
                + " -Dberth.reference=write");
    }

    private static List<String> table(String head, Stream<String> rows) {
        List<String> lines = new ArrayList<>(List.of(head, head.replaceAll("[^|]+", " --- ")));
        lines.addAll(rows.toList());
        return lines;
    }

    private static String code(String text) {
        return "`" + text.replace("|", "\\|").replace("`", "'") + "`";
    }

    @Test
    void theReferenceOfTheConfigurationHasEveryKeyWithItsDefault() throws IOException {
        Map<String, List<String>> parts = new LinkedHashMap<>();
        for (KeyReference each : KeyReference.all()) {
            parts.computeIfAbsent("configuration " + each.table(), table -> table("| key | default | meaning |", Stream.of()))
                    .add("| " + code(each.key()) + " | " + code(TomlValue.of(each.fallback())) + " | " + each.meaning() + " |");
        }
        assertTrue(parts.size() > 10, parts::toString);
        assertUpToDate(HOME.resolve("docs/configuration.md"), parts);
    }

    @Test
    void theReferenceOfTheMetricsHasEveryMetric() throws IOException {
        assertUpToDate(HOME.resolve("docs/metrics.md"), Map.of("metrics", table("| name | labels | meaning |",
                Arrays.stream(Metric.values()).map(each -> "| " + code(each.title()) + " | "
                        + String.join(", ", each.labels().stream().map(ReferenceTest::code).toList()) + " | " + each.meaning()
                        + " |"))));
    }

    @Test
    void theReferenceOfTheErrorsHasEveryMessage() throws IOException {
        Map<String, List<String>> parts = new LinkedHashMap<>();
        parts.put("exit codes", table("| code | meaning |", Arrays.stream(ExitCode.values())
                .map(each -> "| " + each.number() + " | " + each.meaning() + " |")));
        parts.put("status", table("| status | what it stands for |", Arrays.stream(RuntimeFault.Kind.values())
                .map(each -> "| " + code(status(each)) + " | " + each.meaning() + " |")));
        for (String module : DAEMON) {
            parts.put("messages of " + module, messages(module, false));
        }
        parts.put("messages of cli", messages("cli", true));
        assertUpToDate(HOME.resolve("docs/errors.md"), parts);
    }

    @Test
    void theOperatorsExitCodesAreThoseOfTheCode() throws IOException {
        assertUpToDate(HOME.resolve("docs/operations.md"), Map.of("exit codes", table("| code | meaning |",
                Arrays.stream(ExitCode.values()).map(each -> "| " + each.number() + " | " + each.meaning() + " |"))));
    }

    private static List<String> messages(String module, boolean exitCodes) throws IOException {
        TreeSet<ReadFaults.Found> found;
        try (Stream<Path> files = Files.walk(HOME.resolve(module).resolve("src/main/java"))) {
            found = ReadFaults.in(files.filter(file -> file.toString().endsWith(".java")).sorted().toList());
        }
        assertFalse(found.isEmpty(), () -> "no messages in " + module);
        return table(exitCodes ? "| message | exit code |" : "| message | status |", found.stream().map(each ->
                "| " + code(each.message().toString()) + " | " + kind(each.kind(), exitCodes) + " |").distinct());
    }

    private static String kind(String name, boolean exitCodes) {
        for (ExitCode code : ExitCode.values()) {
            if (code.name().equals(name) && exitCodes) {
                return Integer.toString(code.number());
            }
        }
        if (name.isEmpty()) {
            return exitCodes ? "1" : "of the cause";
        }
        return exitCodes ? "1" : code(status(RuntimeFault.Kind.valueOf(name)));
    }

    // As the kubelet and crictl print it.
    private static String status(RuntimeFault.Kind kind) {
        StringBuilder camel = new StringBuilder();
        for (String word : Answers.status(new RuntimeFault(kind, "")).getCode().name().split("_")) {
            camel.append(word.charAt(0)).append(word.substring(1).toLowerCase(java.util.Locale.ROOT));
        }
        return camel.toString();
    }
}
