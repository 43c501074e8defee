package io.berth.runtime;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class PassedAnnotationsTest {

    private static final Map<String, String> GIVEN = Map.of("run.oci.keep", "1", "run.oci.keep/inner", "2", "a.run.oci.keep", "3",
            "runXoci.keep", "4");

    private static List<String> passed(String... patterns) {
        return List.copyOf(new PassedAnnotations(List.of(patterns), List.of()).ofPod(GIVEN).keySet());
    }

    @Test
    void onlyWhatIsListedIsPassedOn() {
        assertEquals(List.of(), passed());
        assertEquals(List.of("run.oci.keep"), passed("run.oci.keep"));
        assertEquals(List.of(), List.copyOf(new PassedAnnotations(List.of("run*"), List.of()).ofContainer(GIVEN).keySet()));
    }

    @Test
    void aStarStandsForWhatIsNoSlashAndADotForItself() {
        assertEquals(List.of("run.oci.keep"), passed("run.oci.*"));
        assertEquals(List.of("run.oci.keep/inner"), passed("run.oci.*/*"));
        assertEquals(List.of("run.oci.keep", "runXoci.keep"), passed("run?oci.keep"));
        assertEquals(List.of("a.run.oci.keep", "run.oci.keep", "runXoci.keep"), passed("*"));
    }

    @Test
    void whatGoReadsOtherwiseIsNoPattern() {
        assertTrue(PassedAnnotations.isPattern("run.oci.*"));
        assertFalse(PassedAnnotations.isPattern("run[a-z]"));
        assertFalse(PassedAnnotations.isPattern("a\\*"));
        assertFalse(PassedAnnotations.isPattern(""));
    }

    @Test
    void whereCriuHasItsConfigurationFromIsNobodysToSay() {
        Map<String, String> hostile = Map.of("org.criu.config", "/var/lib/kubelet/pods/x/volumes/criu.conf");
        assertEquals(Map.of(), new PassedAnnotations(List.of("*", "org.criu.config"), List.of()).ofPod(hostile));
        assertEquals(Map.of(), new PassedAnnotations(List.of(), List.of("org.criu.*")).ofContainer(hostile));
    }
}
