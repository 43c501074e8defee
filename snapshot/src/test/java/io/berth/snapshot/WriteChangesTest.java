package io.berth.snapshot;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.berth.base.RuntimeFault;
import io.berth.linux.PlatformThreads;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a container may have made to harm whoever writes down its changes. */
class WriteChangesTest {

    @TempDir
    private Path upper;

    // As the daemon does: on a platform thread with a small stack.
    private void write(OutputStream out) throws Exception {
        try (var virtual = Executors.newVirtualThreadPerTaskExecutor()) {
            virtual.submit(() -> PlatformThreads.call(() -> new WriteChanges(upper).to(out))).get();
        } catch (ExecutionException e) {
            if (e.getCause() instanceof RuntimeFault fault) {
                throw fault;
            }
            throw new AssertionError(e.getCause());
        }
    }

    @Test
    void directoriesOfUsualDepthAreWritten() throws Exception {
        Path deep = Files.createDirectories(upper.resolve("d/".repeat(200)));
        Files.writeString(deep.resolve("file"), "x");
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        write(bytes);
        Set<String> names = new TreeSet<>();
        try (TarArchiveInputStream tar = new TarArchiveInputStream(new ByteArrayInputStream(bytes.toByteArray()))) {
            for (var entry = tar.getNextEntry(); entry != null; entry = tar.getNextEntry()) {
                names.add(entry.getName());
            }
        }
        // With the root itself.
        assertEquals(202, names.size());
        assertTrue(names.contains("d/".repeat(200) + "file"));
    }

    @Test
    void deeperOnesAreRefused() throws IOException {
        Files.createDirectories(upper.resolve("d/".repeat(300)));
        RuntimeFault fault = assertThrows(RuntimeFault.class, () -> write(OutputStream.nullOutputStream()));
        assertEquals(RuntimeFault.Kind.RESOURCE_EXHAUSTED, fault.kind(), fault.getMessage());
        assertTrue(fault.getMessage().contains("deeper than 256"), fault.getMessage());
    }

    @Test
    void veryManyFilesWithSeveralNamesAreRefused() throws IOException {
        for (int i = 0; i < 100; i++) {
            Files.createLink(upper.resolve(i + "-again"), Files.createFile(upper.resolve("first-of-" + i)));
        }
        assertEquals(List.of(), new WriteChanges(upper, 2000).to(OutputStream.nullOutputStream()));
        RuntimeFault fault = assertThrows(RuntimeFault.class, () -> new WriteChanges(upper, 500).to(OutputStream.nullOutputStream()));
        assertEquals(RuntimeFault.Kind.RESOURCE_EXHAUSTED, fault.kind(), fault.getMessage());
    }
}
