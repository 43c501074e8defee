package io.berth.cli.bench;

import io.berth.base.RandomId;
import io.berth.base.RuntimeFault;
import io.berth.cli.scratch.BusyboxImage;
import io.berth.cri.v1.ImageSpec;
import io.berth.cri.v1.ImageStatusRequest;
import io.berth.cri.v1.RemoveImageRequest;
import io.berth.linux.Cgroups;
import io.berth.linux.Command;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.stream.Stream;

/**
 * One bench from its contestants' start to their end. Used once. {@link #close} takes everything away, in any state, and
 * may be called by another thread when the first one is interrupted.
 */
final class Bench implements AutoCloseable {

    private static final ImageSpec IMAGE = ImageSpec.newBuilder().setImage(BusyboxImage.NAME).build();

    private final BenchSettings settings;
    private final Consumer<String> progress;
    private final String name = "bench-" + RandomId.hex(3);
    private final Path directory = Path.of(System.getProperty("java.io.tmpdir"), "berth-" + name);
    private final Deque<AutoCloseable> ends = new ArrayDeque<>();
    private final List<BenchPods> contestants = new ArrayList<>();
    private final Results results = new Results();

    /** @param progress told in a few words what is being done */
    Bench(BenchSettings settings, Consumer<String> progress) {
        this.settings = settings;
        this.progress = progress;
    }

    /** Starts the contestants and brings the image into each. */
    void prepare() throws IOException {
        Files.createDirectory(directory);
        onEnd(() -> BenchFiles.remove(directory));
        onEnd(() -> {
            Cgroups.detect().kill("/" + name);
            Cgroups.detect().remove("/" + name);
        });
        onEnd(new HugepageHierarchy(settings.runtime()));
        BenchNetwork network = new BenchNetwork(directory, name, settings.masquerade());
        onEnd(network);
        Path image = directory.resolve("image");
        BusyboxImage.write(image, "a page of the bench\n");
        if (settings.socket().isPresent()) {
            join(new OtherSocket(settings.socket().get()), image);
        } else {
            progress.accept("starting Berth");
            join(new OwnBerth(settings, network), image);
        }
        settings.against().forEach(socket -> join(new OtherSocket(socket), image));
        if (settings.againstContainerd()) {
            progress.accept("starting containerd");
            join(new OwnContainerd(network, program(settings.runtime())), image);
        }
    }

    private void join(Contestant contestant, Path image) {
        onEnd(contestant);
        BenchPods pods = new BenchPods(contestant, name, directory.resolve("logs-" + contestants.size()));
        var images = contestant.connection().images();
        ImageStatusRequest question = ImageStatusRequest.newBuilder().setImage(IMAGE).build();
        if (!images.imageStatus(question).hasImage()) {
            contestant.importImage(image);
            onEnd(() -> contestant.connection().images().removeImage(RemoveImageRequest.newBuilder().setImage(IMAGE).build()));
            // containerd's CRI plugin hears of an import a moment later.
            for (int patience = 0; patience < 100 && !images.imageStatus(question).hasImage(); patience++) {
                OwnContainerd.pause(20);
            }
        }
        onEnd(pods::removeAll);
        contestants.add(pods);
    }

    private static String program(String runtime) {
        return Stream.of(Command.searchPath().split(":")).map(path -> Path.of(path).resolve(runtime))
                .filter(Files::isExecutable).findFirst().map(Path::toString).orElseThrow(() -> RuntimeFault.precondition(
                        "find the runtime " + runtime + ": not in PATH: install the package of that name"));
    }

    /** Takes all measurements. */
    void measure() {
        for (Kind kind : settings.kinds()) {
            progress.accept("measuring " + kind.word());
            switch (kind) {
                case PODS -> new MeasurePods().run(contestants, settings, results);
                case EXEC -> new MeasureExec().run(contestants, settings, results);
                case PARALLEL -> new MeasureParallel().run(contestants, settings, results);
                case LIST -> new MeasureList().run(contestants, settings, results);
                case PULL -> new MeasurePull(directory).run(contestants, settings, results);
                case MEMORY -> new MeasureMemory().run(contestants, settings, results);
                case START -> new MeasureStart().run(contestants, settings, results);
            }
        }
    }

    /** A waterfall of one more pod of each contestant. */
    String picture() {
        Map<String, PodRun> runs = new LinkedHashMap<>();
        contestants.forEach(pods -> runs.put(pods.contestant().name(), PodRun.of(pods)));
        return PodPicture.draw(runs);
    }

    Results results() {
        return results;
    }

    List<String> names() {
        return contestants.stream().map(pods -> pods.contestant().name()).toList();
    }

    private void onEnd(AutoCloseable end) {
        synchronized (ends) {
            ends.push(end);
        }
    }

    /** Takes all away in the reverse order of its coming. @throws RuntimeFault the first failure, after all was tried */
    @Override
    public void close() {
        List<Exception> failures = new ArrayList<>();
        synchronized (ends) {
            while (!ends.isEmpty()) {
                try {
                    ends.pop().close();
                } catch (Exception e) {
                    progress.accept("taking the bench away: " + RuntimeFault.reason(e));
                    failures.add(e);
                }
            }
        }
        if (!failures.isEmpty()) {
            RuntimeFault fault = RuntimeFault.internal("take the bench away: "
                    + RuntimeFault.reason(failures.getFirst()), failures.getFirst());
            failures.stream().skip(1).forEach(fault::addSuppressed);
            throw fault;
        }
    }
}
