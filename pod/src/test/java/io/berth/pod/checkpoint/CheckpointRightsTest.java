package io.berth.pod.checkpoint;

import static io.berth.pod.checkpoint.CriuBytes.message;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.UnknownFieldSet;
import io.berth.base.RuntimeFault;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.json.JsonMapper;

/** The rights that CRIU's images give to processes, honest and hostile ones, beside those of a request. */
class CheckpointRightsTest {

    private static final String ROOT = "{\"process\": {\"user\": {\"uid\": 0}, \"capabilities\":"
            + " {\"bounding\": [\"CAP_CHOWN\", \"CAP_KILL\", \"CAP_BPF\"]}}}";
    private static final String USER = "{\"process\": {\"user\": {\"uid\": 33, \"gid\": 34, \"additionalGids\": [5]}}}";
    private static final int CHOWN = 1;
    private static final int KILL = 1 << 5;
    private static final int BPF = 1 << 7;

    @TempDir
    private Path images;

    private Set<String> beyond(String spec) {
        return CheckpointRights.beyond(new CriuImages(images, "x"), JsonMapper.shared().readTree(spec));
    }

    private Set<String> beyond(String spec, UnknownFieldSet.Builder creds, Object... ofThread) throws IOException {
        Files.write(images.resolve("core-1.img"), CriuBytes.core(creds, ofThread));
        return beyond(spec);
    }

    private static UnknownFieldSet.Builder user(int uid, int gid, Object... more) {
        return message(1, uid, 2, gid, 3, uid, 4, gid, 5, uid, 6, gid, 7, uid, 8, gid).mergeFrom(message(more).build());
    }

    @Test
    void capabilitiesOfEverySetAreTheRequests() throws IOException {
        assertEquals(Set.of(), beyond(ROOT, message(9, 0, 9, 0, 10, CHOWN | KILL, 10, BPF, 11, CHOWN, 12, KILL, 12, BPF)));
        for (int set : List.of(9, 10, 11, 12, 19)) {
            assertEquals(Set.of("CAP_SYS_ADMIN"), beyond(ROOT, message(set, CHOWN | 1 << 21, set, BPF)), "set " + set);
            assertEquals(Set.of("CAP_PERFMON", "CAP_63"), beyond(ROOT, message(set, 0, set, 1 << 6 | 1L << 31)), "set " + set);
        }
        assertEquals(Set.of("CAP_CHOWN"), beyond(USER, user(33, 34, 12, CHOWN)));
    }

    @Test
    void whoeverIsNotRootIsTheUserOfTheRequest() throws IOException {
        assertEquals(Set.of(), beyond(USER, user(33, 34, 14, 5, 14, 34)));
        assertEquals(Set.of("the user 0"), beyond(USER, user(0, 34)));
        assertEquals(Set.of("the group 0"), beyond(USER, user(33, 0)));
        assertEquals(Set.of("the group 6"), beyond(USER, user(33, 34, 14, 5, 14, 6)));
        assertEquals(Set.of(), beyond(ROOT, user(33, 34)), "root may become anybody");
    }

    @Test
    void whatConfinesTheRequestConfinesTheProcesses() throws IOException {
        String confined = "{\"process\": {\"noNewPrivileges\": true, \"apparmorProfile\": \"p\"},"
                + " \"linux\": {\"seccomp\": {}}}";
        assertEquals(Set.of(), beyond(confined, message(15, "p", 18, 1), 11, 2));
        assertEquals(3, beyond(confined, message(1, 0)).size());
        assertEquals(3, beyond(confined, message(15, "q", 18, 0), 11, 0).size());
        assertEquals(Set.of(), beyond("{\"process\": {\"apparmorProfile\": \"unconfined\"}}", message(1, 0)));
    }

    @Test
    void everyThreadCountsAndOnlyADeadProcessMayHaveNoRights() throws IOException {
        assertEquals(Set.of(), beyond(ROOT, message(11, CHOWN)));
        Path other = images.resolve("core-7.img");
        Files.write(other, CriuBytes.core(message(11, 1 << 21)));
        assertEquals(Set.of("CAP_SYS_ADMIN"), beyond(ROOT));
        Files.write(other, new CriuBytes(CriuBytes.CORE).entry(message(1, 1, 3, message(1, 6))).bytes());
        assertEquals(Set.of(), beyond(ROOT));
        for (UnknownFieldSet.Builder hostile : List.of(message(1, 1, 3, message(1, 1)), message(1, 1),
                message(1, 1, 3, message(1, 1), 5, message(1, 1)), message(1, 1, 3, message(1, 6, 1, 1)),
                message(1, 1, 3, message(1, 1), 3, message(1, 6)), message(5, message(10, message(11, "packed"))),
                message(5, message(10, message(11, 0, 11, 0, 11, 1))), message(5, "not a message"),
                message(5, message(10, message(1, 0)), 5, message(10, message(11, 1 << 21))))) {
            Files.write(other, new CriuBytes(CriuBytes.CORE).entry(hostile).bytes());
            RuntimeFault refused = assertThrows(RuntimeFault.class, () -> beyond(ROOT), () -> hostile.build().toString());
            assertEquals(RuntimeFault.Kind.INVALID_ARGUMENT, refused.kind());
        }
        Files.delete(other);
        Files.delete(images.resolve("core-1.img"));
        assertTrue(assertThrows(RuntimeFault.class, () -> beyond(ROOT)).getMessage().contains("not there"));
    }
}
