package io.berth.network.cni;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.berth.base.RuntimeFault;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class CniConfigurationTest {

    private static final String LIST = """
            {"cniVersion": "1.0.0", "name": "%s", "plugins": [{"type": "bridge"}, {"type": "portmap"}]}""";

    @TempDir
    Path directory;

    private CniConfigurationDirectory.Content content(int limit) {
        return new CniConfigurationDirectory(directory, limit).current();
    }

    private Path put(String name, String text) throws IOException {
        return Files.writeString(directory.resolve(name), text);
    }

    @Test
    void firstValidFileByNameIsTheNetwork() throws IOException {
        put("20-b.conflist", LIST.formatted("b"));
        put("10-a.conf", "{\"name\": \"a\", \"type\": \"ptp\"}");
        put("05-broken.conflist", "{");
        put("00-readme.txt", "nothing");
        var content = content(1);
        assertEquals("a", content.networks().getFirst().name());
        assertEquals("0.1.0", content.networks().getFirst().version().text());
        assertEquals(1, content.problems().size());
        assertTrue(content.problems().getFirst().contains("05-broken.conflist: not JSON"), content.problems().toString());
        assertEquals(2, content(5).networks().size());
    }

    @Test
    void changedFilesAreReadAgainAndOthersAreNot() throws IOException {
        put("a.conflist", LIST.formatted("a"));
        var loaded = new CniConfigurationDirectory(directory, 1);
        assertSame(loaded.current(), loaded.current());
        put("a.conflist", LIST.formatted("longer"));
        assertEquals("longer", loaded.current().networks().getFirst().name());
        Files.delete(directory.resolve("a.conflist"));
        assertEquals(0, loaded.current().networks().size());
    }

    @Test
    void missingDirectoryIsNoNetwork() {
        assertEquals(0, new CniConfigurationDirectory(directory.resolve("none"), 1).current().networks().size());
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', value = {
        "[]|not a JSON object",
        "{\"type\": \"x\"}|\"name\" is missing",
        "{\"name\": \"a/b\", \"type\": \"x\"}|other characters",
        "{\"name\": \"a\"}|has no \"type\"",
        "{\"name\": \"a\", \"type\": \"../sh\"}|is not a file name",
        "{\"name\": \"a\", \"plugins\": []}|\"plugins\" is empty",
        "{\"name\": \"a\", \"plugins\": [1]}|not a JSON object",
        "{\"name\": \"a\", \"cniVersion\": \"9.0.0\", \"type\": \"x\"}|cniVersion 9.0.0 is not one of"})
    void whatIsWrongIsSaid(String json, String words) {
        RuntimeFault fault = assertThrows(RuntimeFault.class, () -> CniConfiguration.parse(json));
        assertTrue(fault.getMessage().contains(words), fault.getMessage());
    }

    @Test
    void newestOfferedVersionThatIsKnownIsChosen() {
        var configuration = CniConfiguration.parse("""
                {"cniVersion": "1.0.0", "cniVersions": ["0.4.0", "1.1.0", "7.0.0"], "name": "n", "type": "x"}""");
        assertEquals("1.1.0", configuration.version().text());
        assertTrue(configuration.version().hasStatusAndGc());
    }

    @Test
    void configurationSurvivesItsRecord() {
        var configuration = CniConfiguration.parse(
                LIST.formatted("a").replace("\"name\"", "\"disableCheck\": true, \"name\""));
        assertEquals(configuration, CniConfiguration.parse(configuration.toJson().toString()));
    }
}
