package io.berth.cli.output;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

class TableTest {

    @Test
    void columnsAreAsWideAsTheirWidestCellAndNumbersStandRight() {
        Table table = new Table("NAME", ">SIZE", "WHERE").row("a", 5, "x").row("longer", 12345, "");
        assertEquals(List.of("NAME     SIZE  WHERE", "a           5  x", "longer  12345"), table.lines());
    }

    @Test
    void aNameFromAnImageCannotMoveTheCursor() {
        assertEquals("?[2Jevil?", new Table("NAME").row("\033[2Jevil\n").lines().getLast());
    }

    @Test
    void sizesAndAgesAreShort() {
        assertEquals(List.of("0B", "999B", "1.0kB", "12.3MB", "1.0GB", "5.0TB"),
                List.of(Words.bytes(0), Words.bytes(999), Words.bytes(1000), Words.bytes(12_345_678),
                        Words.bytes(999_990_000), Words.bytes(5_000_000_000_000L)));
        assertEquals(List.of("0s", "59s", "1m", "3m12s", "59m", "1h", "25h30m", "2d"),
                List.of(Words.span(Duration.ZERO), Words.span(Duration.ofSeconds(59)), Words.span(Duration.ofSeconds(60)),
                        Words.span(Duration.ofSeconds(192)), Words.span(Duration.ofMinutes(59)), Words.span(Duration.ofHours(1)),
                        Words.span(Duration.ofMinutes(25 * 60 + 30)), Words.span(Duration.ofHours(48))));
    }
}
