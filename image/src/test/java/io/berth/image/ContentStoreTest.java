package io.berth.image;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.berth.base.Digest;
import io.berth.base.RuntimeFault;
import io.berth.base.RuntimeFault.Kind;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ContentStoreTest {

    @TempDir
    Path root;

    private ContentStore store;
    private final byte[] bytes = TestImage.bytes("some content");
    private final Digest digest = Digest.ofBytes(bytes);

    @BeforeEach
    void open() {
        store = new ContentStore(root);
    }

    private long partials() throws Exception {
        try (var files = Files.list(root.resolve("ingest"))) {
            return files.count();
        }
    }

    @Test
    void aBlobAppearsWhenItIsWhole() throws Exception {
        ContentStore.Usage before = store.usage();
        try (Ingest ingest = store.ingest(digest, bytes.length)) {
            ingest.write(bytes, 0, bytes.length);
            assertFalse(store.has(digest));
            ingest.commit();
        }
        assertTrue(store.has(digest));
        assertArrayEquals(bytes, store.read(digest, 100));
        assertEquals(before.files() + 1, store.usage().files());
        assertEquals(before.bytes() + (bytes.length + 4095) / 4096 * 4096, store.usage().bytes());
        assertEquals(0, partials());
        try (Ingest again = store.ingest(digest, bytes.length)) {
            assertTrue(again.present());
        }
    }

    @Test
    void whatAnInterruptedWriterLeftIsContinuedAlsoAfterARestart() throws Exception {
        try (Ingest ingest = store.ingest(digest, bytes.length)) {
            ingest.write(bytes, 0, 5);
        }
        assertEquals(1, partials());
        try (Ingest ingest = new ContentStore(root).ingest(digest, bytes.length)) {
            assertEquals(5, ingest.offset());
            ingest.write(bytes, 5, bytes.length - 5);
            ingest.commit();
        }
        assertArrayEquals(bytes, store.read(digest, 100));
    }

    @Test
    void wrongBytesAreThrownAwayAndBothDigestsNamed() throws Exception {
        byte[] wrong = TestImage.bytes("sOme content");
        try (Ingest ingest = store.ingest(digest, bytes.length)) {
            ingest.write(wrong, 0, wrong.length);
            RuntimeFault fault = assertThrows(RuntimeFault.class, ingest::commit);
            assertEquals(Kind.DATA_LOSS, fault.kind());
            assertTrue(fault.getMessage().contains(digest.toString()));
            assertTrue(fault.getMessage().contains(Digest.ofBytes(wrong).toString()));
        }
        try (Ingest ingest = store.ingest(digest, 3)) {
            assertEquals(Kind.DATA_LOSS, assertThrows(RuntimeFault.class, () -> ingest.write(bytes, 0, 4)).kind());
        }
        assertFalse(store.has(digest));
        assertEquals(0, partials());
    }

    @Test
    void aRottenBlobIsNotHandedOut() throws Exception {
        store.put(bytes);
        Files.writeString(store.path(digest), "rotten");
        assertEquals(Kind.DATA_LOSS, assertThrows(RuntimeFault.class, () -> store.read(digest, 100)).kind());
        assertEquals(Kind.NOT_FOUND, assertThrows(RuntimeFault.class, () -> store.open(Digest.ofBytes(new byte[9]))).kind());
    }

    @Test
    void heldBlobsStay() {
        store.put(bytes);
        try (ContentStore.Hold hold = store.hold()) {
            hold.add(digest);
            assertFalse(store.delete(digest));
        }
        assertTrue(store.delete(digest));
        assertTrue(store.delete(digest));
        assertFalse(store.has(digest));
    }

    @Test
    void oldPartialsAreRemoved() throws Exception {
        try (Ingest ingest = store.ingest(digest, bytes.length)) {
            ingest.write(bytes, 0, 5);
        }
        store.removeStalePartials(Duration.ofHours(1));
        assertEquals(1, partials());
        store.removeStalePartials(Duration.ZERO);
        assertEquals(0, partials());
    }
}
