package io.berth.pod.record;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;

import io.berth.store.FileRecordStore;
import java.io.IOException;
import java.lang.reflect.RecordComponent;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/** Records that other versions of Berth have written. Those in the resources are of its first build that ran pods. */
class OtherVersionsTest {

    private static final String READY = "50e8015320dd87a8d79b63b6169c8d6314f25c9facdea878af1247c259aa75e7";
    private static final String TICKER = "7694ef414482ff1b07a0a55bcd2837e6f95517f22d361e6d7c8416f37ee8e316";
    /** What the first build wrote beside: answers of methods, which it did not read either. */
    private static final Set<String> DERIVED = Set.of("live", "alive");
    private static final JsonMapper JSON = new JsonMapper();

    @TempDir
    private Path directory;

    @BeforeEach
    void copy() throws IOException, URISyntaxException {
        Path from = Path.of(OtherVersionsTest.class.getResource("/records-of-the-first-build").toURI());
        try (Stream<Path> files = Files.walk(from)) {
            for (Path file : (Iterable<Path>) files.filter(Files::isRegularFile)::iterator) {
                Path to = directory.resolve(from.relativize(file).toString());
                Files.createDirectories(to.getParent());
                Files.copy(file, to);
            }
        }
    }

    private Inventory inventory() {
        return new Inventory(new FileRecordStore(directory));
    }

    private ObjectNode json(String kind, String id) throws IOException {
        return (ObjectNode) JSON.readTree(Files.readString(directory.resolve(kind).resolve(id + ".json")));
    }

    private void write(String kind, String id, ObjectNode json) throws IOException {
        Files.writeString(directory.resolve(kind).resolve(id + ".json"), json.toString());
    }

    private static void assertWhole(Record record) throws ReflectiveOperationException {
        for (RecordComponent component : record.getClass().getRecordComponents()) {
            component.getAccessor().setAccessible(true);
            Object value = component.getAccessor().invoke(record);
            assertNotNull(value, component.getName() + " of " + record);
            if (value instanceof Record inner) {
                assertWhole(inner);
            }
        }
    }

    @Test
    void recordsOfTheFirstBuildAreReadWhole() throws ReflectiveOperationException {
        Inventory inventory = inventory();
        assertEquals(Map.of(), inventory.unreadable());
        assertEquals(2, inventory.sandboxes().size());
        assertEquals(2, inventory.containers().size());
        for (Sandbox sandbox : inventory.sandboxes()) {
            assertWhole(sandbox);
        }
        for (Container container : inventory.containers()) {
            assertWhole(container);
        }
        assertEquals(List.of("10.171.250.2"), inventory.sandbox(READY).addresses());
        Container ticker = inventory.container(TICKER);
        assertEquals(Container.Phase.RUNNING, ticker.phase());
        assertEquals(List.of(), ticker.mounts());
        assertEquals("ticker", ticker.config().getMetadata().getName());
    }

    @Test
    void whatTheFirstBuildKnewIsWrittenAsItWroteIt() throws IOException {
        for (var each : Map.of("sandboxes", READY, "containers", TICKER).entrySet()) {
            ObjectNode old = json(each.getKey(), each.getValue());
            Inventory inventory = inventory();
            if (each.getKey().equals("sandboxes")) {
                Sandbox sandbox = inventory.sandbox(READY);
                inventory.changeSandbox(READY, same -> sandbox.withNetwork(false, sandbox.addresses()));
                inventory.changeSandbox(READY, same -> sandbox);
            } else {
                Container container = inventory.container(TICKER);
                inventory.changeContainer(TICKER, same -> container.with(Container.Phase.CREATED));
                inventory.changeContainer(TICKER, same -> container);
            }
            JsonNode now = json(each.getKey(), each.getValue());
            old.remove(DERIVED);
            if (old.get("init") instanceof ObjectNode init) {
                init.remove(DERIVED);
            }
            old.propertyStream().forEach(field -> assertEquals(field.getValue(), now.get(field.getKey()), field.getKey()));
        }
    }

    @Test
    void aFieldOfANewerVersionIsLeftOut() throws IOException {
        ObjectNode json = json("containers", TICKER);
        json.put("mood", "cheerful").putObject("plans").put("lunch", true);
        write("containers", TICKER, json);
        Inventory inventory = inventory();
        assertEquals(Map.of(), inventory.unreadable());
        assertEquals(Container.Phase.RUNNING, inventory.container(TICKER).phase());
    }

    @Test
    void aRecordThatOnlyANewerVersionUnderstandsIsNotForgotten() throws IOException {
        ObjectNode json = json("sandboxes", READY);
        json.put("phase", "HIBERNATING");
        write("sandboxes", READY, json);
        Inventory inventory = inventory();
        assertEquals(Map.of(READY, "sandboxes"), inventory.unreadable());
        assertEquals(1, inventory.sandboxes().size());
        assertEquals("HIBERNATING", json("sandboxes", READY).get("phase").asString());
    }
}
