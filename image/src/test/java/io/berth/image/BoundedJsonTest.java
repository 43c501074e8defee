package io.berth.image;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.berth.base.RuntimeFault;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

class BoundedJsonTest {

    /** Three characters of text, a hundred bytes of heap. */
    @Test
    void aSmallTextWithVeryManyMembersIsRefused() {
        byte[] json = ("{\"x\":[" + "{},".repeat(700_000) + "{}]}").getBytes(StandardCharsets.UTF_8);
        RuntimeFault fault = assertThrows(RuntimeFault.class, () -> BoundedJson.parse("a manifest", json, Manifest.SIZE_LIMIT));
        assertEquals(RuntimeFault.Kind.DATA_LOSS, fault.kind(), fault.getMessage());
    }

    @Test
    void aLargeDocumentOfUsualMakeIsRead() {
        // A thousand entries of an index, and the labels of an image that has very many.
        String entry = "{\"mediaType\":\"m\",\"digest\":\"d\",\"size\":1,\"platform\":{\"os\":\"o\",\"architecture\":\"a\"}},";
        byte[] json = ("{\"x\":[" + entry.repeat(1000) + "{}],\"labels\":{" + "\"%s\":\"v\",".repeat(20_000).formatted(
                (Object[]) java.util.stream.IntStream.range(0, 20_000).mapToObj(Integer::toString).toArray(String[]::new))
                + "\"z\":\"\"}}").getBytes(StandardCharsets.UTF_8);
        assertEquals(1001, BoundedJson.parse("an index", json, Manifest.SIZE_LIMIT).root().get("x").size());
    }
}
