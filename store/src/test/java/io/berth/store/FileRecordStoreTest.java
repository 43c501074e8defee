package io.berth.store;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.berth.base.RuntimeFault;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FileRecordStoreTest {

    @TempDir
    Path directory;

    private static byte[] text(String value) {
        return value.getBytes(StandardCharsets.UTF_8);
    }

    @Test
    void aRecordIsReadBackByAnotherInstanceAsLastWritten() {
        RecordStore first = new FileRecordStore(directory);
        first.put("sandboxes", "a", text("one"));
        first.put("sandboxes", "a", text("two"));
        first.put("sandboxes", "b", text("three"));
        first.remove("sandboxes", "b");
        first.remove("sandboxes", "never-there");
        var all = new FileRecordStore(directory).all("sandboxes");
        assertEquals(Set.of("a"), all.keySet());
        assertArrayEquals(text("two"), all.get("a"));
    }

    @Test
    void whatACrashLeftHalfWrittenIsRemovedAndAnEmptyRecordToo() throws Exception {
        Path folder = Files.createDirectories(directory.resolve("sandboxes"));
        Path unfinished = Files.writeString(folder.resolve(".new-1234"), "{");
        Path empty = Files.writeString(folder.resolve("c.json"), "");
        assertEquals(Set.of(), new FileRecordStore(directory).all("sandboxes").keySet());
        assertFalse(Files.exists(unfinished));
        assertFalse(Files.exists(empty));
    }

    @Test
    void aCrashBetweenTheTwoNamesOfAWriteLosesNothing() throws Exception {
        RecordStore store = new FileRecordStore(directory);
        for (String id : List.of("both", "new-only", "changed")) {
            store.put("sandboxes", id, "old".getBytes());
        }
        store.put("sandboxes", "changed", "new".getBytes());
        Path folder = directory.resolve("sandboxes");
        assertEquals(Set.of("both.json", "new-only.json", "changed.json"), Set.of(folder.toFile().list()));
        Files.writeString(folder.resolve("both.json.next"), "new");
        Files.move(folder.resolve("new-only.json"), folder.resolve("new-only.json.next"));
        Map<String, byte[]> found = new FileRecordStore(directory).all("sandboxes");
        assertEquals("new", new String(found.get("both")));
        assertEquals("old", new String(found.get("new-only")));
        assertEquals("new", new String(found.get("changed")));
        assertEquals(Set.of("both.json", "new-only.json", "changed.json"), Set.of(folder.toFile().list()));
    }

    @Test
    void anIdThatWouldLeaveTheDirectoryIsRefused() {
        RecordStore store = new FileRecordStore(directory);
        assertEquals(RuntimeFault.Kind.INVALID_ARGUMENT,
                assertThrows(RuntimeFault.class, () -> store.put("sandboxes", "../x", text("x"))).kind());
    }

    @Test
    void aDirectoryThatCannotBeWrittenIsNamedWithTheCure() throws Exception {
        Path file = Files.writeString(directory.resolve("file"), "");
        RuntimeFault fault = assertThrows(RuntimeFault.class,
                () -> new FileRecordStore(file).put("sandboxes", "a", text("x")));
        assertEquals(RuntimeFault.Kind.INTERNAL, fault.kind());
        assertFalse(fault.getMessage().isBlank());
    }
}
