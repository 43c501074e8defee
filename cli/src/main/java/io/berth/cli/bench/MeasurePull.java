package io.berth.cli.bench;

import io.berth.base.RuntimeFault;
import io.berth.cli.bench.Results.Row;
import io.berth.cri.v1.ImageSpec;
import io.berth.cri.v1.PullImageRequest;
import io.berth.cri.v1.RemoveImageRequest;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Pull and unpack from a registry on loopback, and removal, of an image of six layers and of one of 100,000 small files;
 * with the processor time that the daemon takes from the pull's start until it is idle again, and the most memory that it
 * has resident while it pulls. Each round pulls a variant of its own and nothing is removed before the last: on ext4 the
 * numbers of inodes that were removed within the last minutes are passed over one by one when files are made, which would
 * be most of what is measured.
 */
final class MeasurePull implements Measurement {

    private static final int MOST = 5;
    private static final double MIB = 1 << 20;
    // What a pull leaves for later (bringing it to the disk, removing what is dropped) belongs to its price.
    private static final Duration SETTLING = Duration.ofMillis(1500);

    private final Path directory;

    /** @param directory for the images and the registry */
    MeasurePull(Path directory) {
        this.directory = directory;
    }

    @Override
    public void run(List<BenchPods> contestants, BenchSettings settings, Results results) {
        Map<String, LayeredImage.Shape> shapes = new LinkedHashMap<>();
        shapes.put("6 layers", LayeredImage.SIX_LAYERS);
        shapes.put("100000 files", LayeredImage.MANY_FILES);
        shapes.forEach((words, shape) -> {
            Path place = directory.resolve("pull");
            try (LoopbackRegistry registry = new LoopbackRegistry(place)) {
                Variants variants = new Variants(registry, new LayeredImage(place, shape), place.resolve("layout"));
                List<ImageSpec> pulled = new ArrayList<>();
                for (int round = 0; round <= Math.min(MOST, settings.rounds()); round++) {
                    ImageSpec image = variants.push(round);
                    pulled.add(image);
                    // The first one is not counted: code is loaded and compiled.
                    Results counted = round == 0 ? new Results() : results;
                    (round % 2 == 0 ? contestants : contestants.reversed()).forEach(pods -> pull(pods, image, words, counted));
                }
                pulled.forEach(image -> contestants.forEach(pods -> remove(pods, image, words, results)));
            } finally {
                BenchFiles.remove(place);
            }
        });
    }

    private record Variants(LoopbackRegistry registry, LayeredImage image, Path layout) {
        ImageSpec push(int number) {
            image.write(number, layout);
            try {
                return ImageSpec.newBuilder().setImage(registry.push(layout, Integer.toString(number))).build();
            } finally {
                BenchFiles.remove(layout);
            }
        }
    }

    private static void pull(BenchPods pods, ImageSpec image, String words, Results results) {
        String name = pods.contestant().name();
        int daemon = pods.contestant().daemon();
        boolean peaks = BenchProcesses.forgetPeak(daemon);
        Duration before = processorTime(daemon);
        long from = System.nanoTime();
        pods.contestant().connection().images().pullImage(PullImageRequest.newBuilder().setImage(image).build());
        results.addNanos(Kind.PULL, "PullImage, " + words, name, System.nanoTime() - from);
        if (peaks) {
            results.add(new Row(Kind.PULL, "peak memory, " + words, "MiB"), name, BenchProcesses.peak(daemon) / MIB);
        }
        results.addNanos(Kind.PULL, "processor, " + words, name, settled(daemon).minus(before).toNanos());
    }

    private static void remove(BenchPods pods, ImageSpec image, String words, Results results) {
        long from = System.nanoTime();
        pods.contestant().connection().images().removeImage(RemoveImageRequest.newBuilder().setImage(image).build());
        results.addNanos(Kind.PULL, "RemoveImage, " + words, pods.contestant().name(), System.nanoTime() - from);
    }

    /** The processor time once it no longer grows much: then nobody measures the others with this one's rest of work. */
    private static Duration settled(int daemon) {
        Duration last = processorTime(daemon);
        for (int patience = 0; patience < 40; patience++) {
            OwnContainerd.pause(SETTLING.toMillis());
            Duration now = processorTime(daemon);
            if (now.minus(last).compareTo(SETTLING.dividedBy(20)) < 0) {
                return now;
            }
            last = now;
        }
        return last;
    }

    private static Duration processorTime(int pid) {
        return ProcessHandle.of(pid).flatMap(process -> process.info().totalCpuDuration()).orElseThrow(() ->
                RuntimeFault.internal("measure a pull: the daemon has ended", null));
    }
}
