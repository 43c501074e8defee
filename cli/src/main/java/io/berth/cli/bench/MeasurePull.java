package io.berth.cli.bench;

import io.berth.cri.v1.ImageSpec;
import io.berth.cri.v1.PullImageRequest;
import io.berth.cri.v1.RemoveImageRequest;
import java.nio.file.Path;
import java.util.List;

/** Pull and unpack of an image of six layers, 150 MB compressed, from a registry on loopback; and its removal. */
final class MeasurePull implements Measurement {

    private static final int LAYERS = 6;
    private static final int LAYER_BYTES = 50_000_000;
    private static final int MOST = 10;

    private final Path directory;

    /** @param directory for the image and the registry */
    MeasurePull(Path directory) {
        this.directory = directory;
    }

    @Override
    public void run(List<BenchPods> contestants, BenchSettings settings, Results results) {
        Path layout = directory.resolve("layers");
        LayeredImage.write(layout, LAYERS, LAYER_BYTES);
        try (LoopbackRegistry registry = new LoopbackRegistry(directory.resolve("registry"))) {
            ImageSpec image = ImageSpec.newBuilder().setImage(registry.push(layout)).build();
            Measurement.inTurn(contestants, 1, pods -> pull(pods, image, new Results()));
            Measurement.inTurn(contestants, Math.min(MOST, settings.rounds()), pods -> pull(pods, image, results));
        } finally {
            BenchFiles.remove(layout);
            BenchFiles.remove(directory.resolve("registry"));
        }
    }

    private static void pull(BenchPods pods, ImageSpec image, Results results) {
        var images = pods.contestant().connection().images();
        String name = pods.contestant().name();
        long from = System.nanoTime();
        images.pullImage(PullImageRequest.newBuilder().setImage(image).build());
        results.addNanos(Kind.PULL, "PullImage", name, System.nanoTime() - from);
        from = System.nanoTime();
        images.removeImage(RemoveImageRequest.newBuilder().setImage(image).build());
        results.addNanos(Kind.PULL, "RemoveImage", name, System.nanoTime() - from);
    }
}
