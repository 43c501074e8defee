package io.berth.embedded.junit;

import io.berth.embedded.Berth;
import io.berth.embedded.BerthOptions;
import io.berth.embedded.EmbeddedPod;
import org.junit.jupiter.api.extension.AfterAllCallback;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/**
 * A runtime for the tests of one class. In a static field with {@code @RegisterExtension} it starts before the first test
 * and ends after the last; after each test its pods are removed.
 */
public final class BerthExtension implements BeforeAllCallback, AfterEachCallback, AfterAllCallback {

    private final BerthOptions options;
    private Berth berth;

    private BerthExtension(BerthOptions options) {
        this.options = options;
    }

    /** With a runtime of these options. */
    public static BerthExtension with(BerthOptions options) {
        return new BerthExtension(options);
    }

    @Override
    public void beforeAll(ExtensionContext context) {
        berth = Berth.start(options);
    }

    /** The runtime. */
    public Berth berth() {
        if (berth == null) {
            throw new IllegalStateException("it runs between the first and the last test: is the field static?");
        }
        return berth;
    }

    /** As {@link Berth#run}: a pod for this test. */
    public EmbeddedPod run(String image, String... command) {
        return berth().run(image, command);
    }

    @Override
    public void afterEach(ExtensionContext context) {
        berth().removePods();
    }

    @Override
    public void afterAll(ExtensionContext context) {
        if (berth != null) {
            berth.close();
        }
    }
}
