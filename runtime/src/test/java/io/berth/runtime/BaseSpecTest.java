package io.berth.runtime;

import static org.junit.jupiter.api.Assertions.assertEquals;
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

class BaseSpecTest {

    @TempDir
    private Path directory;

    private Path file(String text) throws IOException {
        return Files.writeString(directory.resolve("base.json"), text);
    }

    @Test
    void aSpecificationIsRead() throws IOException {
        BaseSpec read = BaseSpec.read(file("{\"ociVersion\": \"1.0.2\", \"process\": {\"env\": [\"A=b\"]}, \"linux\": {}}"));
        assertEquals("A=b", read.json().path("process").path("env").path(0).asString());
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
            "'' | not a JSON object",
            "'[]' | not a JSON object",
            "'{' | not JSON",
            "'{\"windows\": {}}' | \"windows\"",
            "'{\"process\": []}' | process is not an object",
            "'{\"process\": {\"env\": [\"A\"]}}' | process.env[0] is not NAME=VALUE",
            "'{\"process\": {\"env\": \"A=b\"}}' | process.env is not a list",
            "'{\"process\": {\"rlimits\": [{\"type\": \"RLIMIT_CORE\", \"soft\": 1, \"hard\": \"x\"}]}}' | process.rlimits[0]",
            "'{\"mounts\": [{\"destination\": \"a\"}]}' | mounts[0] is not an object with an absolute destination",
            "'{\"linux\": {\"resources\": {\"devices\": [{\"allow\": 1}]}}}' | linux.resources.devices[0]",
            "'{\"annotations\": {\"a\": 1}}' | annotations.a is not a string"})
    void aMistakeIsNamedWithItsFile(String text, String expected) throws IOException {
        Path file = file(text);
        RuntimeFault fault = assertThrows(RuntimeFault.class, () -> BaseSpec.read(file));
        assertEquals(RuntimeFault.Kind.INVALID_ARGUMENT, fault.kind());
        assertTrue(fault.getMessage().contains(expected) && fault.getMessage().contains(file.toString()), fault.getMessage());
    }

    @Test
    void aFileThatIsNotThereOrTooLargeIsRefused() throws IOException {
        assertThrows(RuntimeFault.class, () -> BaseSpec.read(directory.resolve("absent")));
        Path large = file("{\"ociVersion\": \"" + "1".repeat(1 << 20) + "\"}");
        assertTrue(assertThrows(RuntimeFault.class, () -> BaseSpec.read(large)).getMessage().contains("larger than"));
    }
}
