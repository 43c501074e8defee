package io.berth.pod.stats;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.berth.base.RuntimeFault;
import io.berth.snapshot.Usage;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class WritableLayersTest {

    @Test
    void aFreshCountIsNotTakenAgain() {
        AtomicInteger walks = new AtomicInteger();
        WritableLayers layers = new WritableLayers(id -> new Usage(walks.incrementAndGet(), 1));
        assertEquals(Optional.of(new Usage(1, 1)), layers.of("c"));
        assertEquals(Optional.of(new Usage(1, 1)), layers.of("c"));
        layers.forget("c"::equals);
        assertEquals(Optional.of(new Usage(2, 1)), layers.of("c"));
    }

    @Test
    void aContainerWithoutARootFilesystemHasNoLayer() {
        WritableLayers layers = new WritableLayers(id -> {
            throw RuntimeFault.notFound("count root filesystem " + id + ": there is none");
        });
        assertEquals(Optional.empty(), layers.of("c"));
    }

    @Test
    void otherFaultsAreNotHidden() {
        WritableLayers layers = new WritableLayers(id -> {
            throw RuntimeFault.internal("count root filesystem " + id + ": input/output error", null);
        });
        assertThrows(RuntimeFault.class, () -> layers.of("c"));
    }
}
