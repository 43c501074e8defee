package io.berth.embedded;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

class SampleInDocumentTest {

    @Test
    void theDocumentShowsWhatRuns() throws Exception {
        String source = Files.readString(Path.of("src/test/java/io/berth/embedded/WebServerSampleIT.java"));
        String sample = source.substring(source.indexOf("// sample begins\n") + "// sample begins\n".length(),
                source.indexOf("    // sample ends"));
        assertTrue(Files.readString(Path.of("../docs/embedding.md")).contains(sample), sample);
    }
}
