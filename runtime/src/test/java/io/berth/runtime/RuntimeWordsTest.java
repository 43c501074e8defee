package io.berth.runtime;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import io.berth.base.RuntimeFault.Kind;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class RuntimeWordsTest {

    static Stream<Arguments> printed() {
        return Stream.of(
                arguments("exec failed: unable to start container process: exec: \"/x\": stat /x: no such file or directory", Kind.INVALID_ARGUMENT),
                arguments("runc create failed: exec: \"x\": executable file not found in $PATH", Kind.INVALID_ARGUMENT),
                arguments("time=\"t\" level=error msg=\"exec: \\\"/x\\\": permission denied\"", Kind.INVALID_ARGUMENT),
                arguments("executable file `x` not found in $PATH: No such file or directory", Kind.INVALID_ARGUMENT),
                arguments("open executable: Permission denied", Kind.INVALID_ARGUMENT),
                arguments("cannot exec in a stopped state", Kind.FAILED_PRECONDITION),
                arguments("unable to apply cgroup configuration: no space left on device", Kind.INTERNAL),
                arguments("", Kind.INTERNAL));
    }

    @ParameterizedTest
    @MethodSource("printed")
    void aProgramThatIsNotThereIsTheClientsMistakeAndAnEndNobodys(String printed, Kind kind) {
        assertEquals(kind, RuntimeWords.fault("start", printed).kind());
    }

    @Test
    void anErrorOfAHundredThousandCharactersIsCutInItsMiddle() {
        String argument = "x\\\"".repeat(100_000);
        String words = RuntimeWords.fault("start", "time=\"t\" level=error msg=\"exec: \\\"" + argument
                + "\\\": executable file not found in $PATH\"").getMessage();
        assertTrue(words.startsWith("start: exec: \"x\"x\"") && words.endsWith("executable file not found in $PATH"), words);
        assertTrue(words.length() < 1100, words);
    }

    @Test
    void ofSeveralLinesTheLastErrorIsTold() {
        assertEquals("second \"one\"", RuntimeWords.plain("time=\"t\" level=error msg=first\n"
                + "time=\"t\" level=error msg=\"the first\"\ntime=\"t\" level=fatal msg=\"second \\\"one\\\"\" x=y\n"));
    }
}
