package io.berth.base;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class UndoStackTest {

    @Test
    void undosRunLastInFirstOutAndAllOfThemWhenOneFails() {
        List<String> ran = new ArrayList<>();
        List<String> failed = new ArrayList<>();
        try (UndoStack undo = new UndoStack("Test", (step, failure) -> failed.add(step))) {
            undo.push("first", () -> ran.add("first"));
            undo.push("second", () -> {
                ran.add("second");
                throw new IllegalStateException("broken");
            });
            undo.push("third", () -> ran.add("third"));
        }
        assertEquals(List.of("third", "second", "first"), ran);
        assertEquals(List.of("second"), failed);
    }

    @Test
    void aCommittedOperationUndoesNothing() {
        List<String> ran = new ArrayList<>();
        try (UndoStack undo = new UndoStack("Test")) {
            undo.push("first", () -> ran.add("first"));
            undo.commit();
        }
        assertTrue(ran.isEmpty());
    }

    @Test
    void anInterruptedOperationStillUndoesAndStaysInterrupted() {
        List<Boolean> interruptedDuringUndo = new ArrayList<>();
        Thread.currentThread().interrupt();
        try (UndoStack undo = new UndoStack("Test")) {
            undo.push("look", () -> interruptedDuringUndo.add(Thread.currentThread().isInterrupted()));
        }
        assertEquals(List.of(false), interruptedDuringUndo);
        assertTrue(Thread.interrupted());
    }
}
