package io.berth.pod.ocihook;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.berth.base.RuntimeFault;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

class OciHooksTest {

    @TempDir
    private Path directory;

    private Path packaged;
    private Path own;

    @BeforeEach
    void makeDirectories() throws IOException {
        packaged = Files.createDirectory(directory.resolve("packaged"));
        own = Files.createDirectory(directory.resolve("own"));
    }

    private static String file(String hook, String when, String stages) {
        return "{\"version\": \"1.0.0\", \"hook\": {" + hook + "}, \"when\": {" + when + "}, \"stages\": [" + stages + "]}";
    }

    private static String always(String argument) {
        return file("\"path\": \"/bin/true\", \"args\": [\"" + argument + "\"]", "\"always\": true", "\"prestart\"");
    }

    private ObjectNode inject(Map<String, String> annotations, String command, boolean bindMounts) {
        ObjectNode spec = JsonMapper.shared().createObjectNode();
        spec.putObject("process").putArray("args").add(command);
        new OciHooks(List.of(packaged, own, directory.resolve("absent"))).inject(annotations, bindMounts, spec);
        return spec;
    }

    @Test
    void aHookIsAddedWithAllItHasAtAllItsStages() throws IOException {
        Files.writeString(own.resolve("a.json"), file("\"path\": \"/bin/true\", \"args\": [\"true\", \"x\"],"
                + " \"env\": [\"A=b\"], \"timeout\": 3", "\"always\": true", "\"createRuntime\", \"poststop\""));
        String hook = "[{\"path\":\"/bin/true\",\"args\":[\"true\",\"x\"],\"env\":[\"A=b\"],\"timeout\":3}]";
        assertEquals("{\"createRuntime\":" + hook + ",\"poststop\":" + hook + "}",
                inject(Map.of(), "sh", false).path("hooks").toString());
    }

    @Test
    void filesAreTakenInTheOrderOfTheirNamesAndALaterDirectoryHidesTheSameName() throws IOException {
        Files.writeString(packaged.resolve("02-B.json"), always("hidden"));
        Files.writeString(own.resolve("02-B.json"), always("second"));
        Files.writeString(own.resolve("03-a.json"), always("third"));
        Files.writeString(packaged.resolve("01-C.json"), always("first"));
        Files.writeString(own.resolve("00-readme.txt"), "no hook");
        assertEquals(List.of("first", "second", "third"), inject(Map.of(), "sh", false).path("hooks").path("prestart")
                .valueStream().map(hook -> hook.path("args").path(0).asString()).toList());
        Files.delete(own.resolve("03-a.json"));
        assertEquals(2, inject(Map.of(), "sh", false).path("hooks").path("prestart").size(), "read anew");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', value = {
        "\"always\": true | true",
        "\"always\": false | false",
        "\"commands\": [\"^/bin/b\", \"/sh$\"] | true",
        "\"commands\": [\"in/s\"] | true",
        "\"commands\": [\"^sh$\"] | false",
        "\"hasBindMounts\": true | true",
        "\"hasBindMounts\": false | false",
        "\"annotations\": {\"^dept$\": \"phys\"} | true",
        "\"annotations\": {\"^dept$\": \"^phys$\"} | false",
        "\"annotations\": {\"^dept$\": \"^x$\"} | false",
        "\"annotations\": {\"^dept$\": \"phys\", \"kind\": \"x\"} | true",
        "\"annotations\": {\"^dept$\": \"phys\", \"kind\": \"y\"} | false",
        "\"always\": true, \"commands\": [\"bash\"] | false"})
    void allConditionsHaveToHold(String when, boolean injected) throws IOException {
        Files.writeString(own.resolve("a.json"), file("\"path\": \"/bin/true\"", when, "\"prestart\""));
        assertEquals(injected, inject(Map.of("dept", "physics", "kind", "x"), "/bin/sh", true).has("hooks"));
        assertEquals(when.equals("\"always\": true"), inject(Map.of(), "ls", false).has("hooks"));
    }

    /** The text is the pod's: with backtracking this search would not end within the life of a node. */
    @Test
    void noTextMakesASearchTakeLong() throws IOException {
        Files.writeString(own.resolve("a.json"), file("\"path\": \"/bin/true\"", "\"annotations\": {\".*\": \"^(a+)+$\"}",
                "\"prestart\""));
        assertFalse(inject(Map.of("k", "a".repeat(100_000) + "!"), "sh", false).has("hooks"));
        assertTrue(inject(Map.of("k", "a".repeat(100_000)), "sh", false).has("hooks"));
    }

    @ParameterizedTest
    @ValueSource(strings = {
        "{\"version\"",
        "",
        "[]",
        "{\"cmds\": [\".*\"], \"hook\": \"/bin/true\", \"stages\": [\"prestart\"]}",
        "{\"version\": \"1.0.0\", \"hook\": {\"path\": \"true\"}, \"when\": {\"always\": true}, \"stages\": [\"prestart\"]}",
        "{\"version\": \"1.0.0\", \"hook\": {\"path\": \"/no/such\"}, \"when\": {\"always\": true},"
                + " \"stages\": [\"prestart\"]}",
        "{\"version\": \"1.0.0\", \"hook\": {\"path\": \"/bin/true\", \"timeout\": -1}, \"when\": {\"always\": true},"
                + " \"stages\": [\"prestart\"]}",
        "{\"version\": \"1.0.0\", \"hook\": {\"path\": \"/bin/true\", \"args\": \"x\"}, \"when\": {\"always\": true},"
                + " \"stages\": [\"prestart\"]}",
        "{\"version\": \"1.0.0\", \"hook\": {\"path\": \"/bin/true\"}, \"when\": {}, \"stages\": [\"prestart\"]}",
        "{\"version\": \"1.0.0\", \"hook\": {\"path\": \"/bin/true\"}, \"when\": {\"always\": true, \"or\": 1},"
                + " \"stages\": [\"prestart\"]}",
        "{\"version\": \"1.0.0\", \"hook\": {\"path\": \"/bin/true\"}, \"when\": {\"always\": \"yes\"},"
                + " \"stages\": [\"prestart\"]}",
        "{\"version\": \"1.0.0\", \"hook\": {\"path\": \"/bin/true\"}, \"when\": {\"commands\": [\"(\"]},"
                + " \"stages\": [\"prestart\"]}",
        "{\"version\": \"1.0.0\", \"hook\": {\"path\": \"/bin/true\"}, \"when\": {\"annotations\": {\"a\": 1}},"
                + " \"stages\": [\"prestart\"]}",
        "{\"version\": \"1.0.0\", \"hook\": {\"path\": \"/bin/true\"}, \"when\": {\"annotations\": \"a\"},"
                + " \"stages\": [\"prestart\"]}",
        "{\"version\": \"1.0.0\", \"hook\": {\"path\": \"/bin/true\"}, \"when\": {\"always\": true}, \"stages\": [\"now\"]}",
        "{\"version\": \"1.0.0\", \"hook\": {\"path\": \"/bin/true\"}, \"when\": {\"always\": true}, \"stages\": []}",
        "{\"version\": \"1.0.0\", \"hook\": {\"path\": \"/bin/true\"}, \"when\": {\"always\": true}, \"stages\": {}}"})
    void aFileThatIsNotRightRefusesTheContainerAndIsNamed(String content) throws IOException {
        Path file = Files.writeString(own.resolve("bad.json"), content);
        RuntimeFault fault = assertThrows(RuntimeFault.class, () -> inject(Map.of(), "sh", false));
        assertEquals(RuntimeFault.Kind.FAILED_PRECONDITION, fault.kind(), fault.getMessage());
        assertTrue(fault.getMessage().startsWith("read hook file " + file + ": ")
                && fault.getMessage().endsWith(": correct the file or remove it"), fault.getMessage());
    }

    @Test
    void aHookInTheContainerIsNotLookedForOnTheNode() throws IOException {
        Files.writeString(own.resolve("a.json"), file("\"path\": \"/only/inside\"", "\"always\": true",
                "\"startContainer\""));
        assertTrue(inject(Map.of(), "sh", false).path("hooks").has("startContainer"));
    }
}
