package io.berth.runtime;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.berth.base.RuntimeFault;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

class CriuConfigurationTest {

    @TempDir
    private Path directory;
    private Path usual;
    private Path bundle;
    private final ObjectNode spec = JsonMapper.shared().createObjectNode();

    @BeforeEach
    void prepare() throws Exception {
        usual = directory.resolve("runc.conf");
        bundle = Files.createDirectory(directory.resolve("bundle"));
    }

    private List<String> written() throws Exception {
        new CriuConfiguration(usual).write(bundle, spec, "/kubepods.slice/berth-1.scope");
        Path file = Path.of(spec.path("annotations").path("org.criu.config").asString());
        assertEquals(bundle.resolve("criu.conf"), file);
        assertEquals("rw-------", PosixFilePermissions.toString(Files.getPosixFilePermissions(file)));
        return Files.readAllLines(file).stream().filter(line -> !line.isBlank()).toList();
    }

    @Test
    void itNamesTheContainersCgroup() throws Exception {
        assertEquals(List.of("cgroup-root /kubepods.slice/berth-1.scope"), written());
        assertEquals(List.of("cgroup-root /kubepods.slice/berth-1.scope"), written(), "the second time");
    }

    @Test
    void whatTheOperatorHasConfiguredHoldsAsWell() throws Exception {
        // Without an end of line.
        Files.writeString(usual, "tcp-close");
        assertEquals(List.of("tcp-close", "cgroup-root /kubepods.slice/berth-1.scope"), written());
        Files.writeString(directory.resolve("other.conf"), "tcp-established\n");
        spec.withObject("annotations").put("org.criu.config", directory.resolve("other.conf").toString());
        assertEquals(List.of("tcp-established", "cgroup-root /kubepods.slice/berth-1.scope"), written());
        spec.withObject("annotations").put("org.criu.config", "");
        assertEquals(List.of("cgroup-root /kubepods.slice/berth-1.scope"), written(), "none is wanted");
    }

    @Test
    void aNameThatWouldSaySomethingElseIsRefused() {
        for (String group : List.of("", "relative", "/a b", "/a\naction-script /x", "/a#b", "/\"a")) {
            assertEquals(RuntimeFault.Kind.INVALID_ARGUMENT, assertThrows(RuntimeFault.class,
                    () -> new CriuConfiguration(usual).write(bundle, spec, group)).kind(), group);
        }
        assertFalse(Files.exists(bundle.resolve("criu.conf")));
    }
}
