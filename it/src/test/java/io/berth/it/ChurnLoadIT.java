package io.berth.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.berth.cli.scratch.PodClient;
import io.berth.cri.v1.ContainerStatsRequest;
import io.berth.cri.v1.ListContainersRequest;
import io.berth.cri.v1.ListPodSandboxRequest;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * Many pods up at the same time, then some that come and go while others stay: with probes, stats and logs, one of them of
 * ten megabytes a second. Afterwards the daemon has no descriptor and no thread more than it had, its memory has not grown,
 * and the node is empty. Times are printed, not asserted.
 *
 * <p>The short form has 40 pods and a minute of churn. {@code BERTH_LOAD=long} has 200 pods and half an hour.
 */
@Timeout(value = 60, unit = TimeUnit.MINUTES)
class ChurnLoadIT {

    private static final boolean LONG = "long".equals(System.getenv("BERTH_LOAD"));
    private static final int PODS = LONG ? 200 : 40;
    private static final Duration CHURN = LONG ? Duration.ofMinutes(30) : Duration.ofSeconds(60);
    private static final int WORKERS = 4;
    private static final Duration ROTATION = Duration.ofSeconds(5);
    /** What lives may differ by what is kept for a while: timelines of pods that have just gone, caches. */
    private static final long LIVE_SLACK_KIB = 6 * 1024;
    private static final long KEPT_OBJECTS = 600;
    /** Compiled code and its compilers' memory come and go for minutes: only a gross leak outside of the heap shows here. */
    private static final long MEMORY_SLACK_KIB = 96 * 1024;

    @RegisterExtension
    private final TestDaemon daemon = TestDaemon.withBuiltinNetwork();

    private final ConcurrentLinkedQueue<Long> listNanos = new ConcurrentLinkedQueue<>();
    private final ConcurrentLinkedQueue<Throwable> torn = new ConcurrentLinkedQueue<>();
    private final AtomicInteger number = new AtomicInteger();
    private final AtomicInteger cycles = new AtomicInteger();
    private final AtomicInteger probes = new AtomicInteger();

    /**
     * What the daemon holds.
     *
     * @param objects how many of each of Berth's own classes
     */
    private record Held(long descriptors, long threads, long liveKib, long pssKib, Map<String, Long> objects) {

        @Override
        public String toString() {
            return descriptors + " descriptors, " + threads + " threads, " + liveKib + " KiB live, " + pssKib + " KiB PSS";
        }
    }

    @Test
    void manyPodsComeAndGoAndNothingGrows() throws Exception {
        TestImages.busybox(daemon);
        // Warm: all code paths were used, pools have their threads.
        churn(Duration.ofSeconds(LONG ? 60 : 15), List.of());
        Held before = atRest();

        long from = System.nanoTime();
        List<PodClient.Pod> standing = Collections.synchronizedList(new ArrayList<>());
        List<String> containers = Collections.synchronizedList(new ArrayList<>());
        atOnce(PODS, () -> {
            PodClient.Pod pod = daemon.pods().run(PodClient.config("p" + number.incrementAndGet(), daemon.node().logs()));
            standing.add(pod);
            containers.add(daemon.pods().run(pod, PodClient.container("c", "sh", "-c", "while :; do echo tick; sleep 1; done")));
            return null;
        });
        double up = (System.nanoTime() - from) / 1e9;
        Held full = atRest();

        LogFlood flood = LogFlood.start(daemon);
        CountDownLatch churned = new CountDownLatch(1);
        Thread rotating = new Thread(() -> rotate(flood, churned), "rotating");
        rotating.start();
        churn(CHURN, containers);
        churned.countDown();
        rotating.join();
        System.out.println("load: " + flood.end());
        if (!torn.isEmpty()) {
            throw new AssertionError("the log of the flood", torn.peek());
        }
        Held afterChurn = atRest();

        long down = System.nanoTime();
        var pods = List.copyOf(standing);
        var next = new AtomicInteger();
        atOnce(pods.size(), () -> {
            PodClient.Pod pod = pods.get(next.getAndIncrement());
            daemon.pods().stop(pod);
            daemon.pods().remove(pod);
            return null;
        });
        double gone = (System.nanoTime() - down) / 1e9;
        daemon.assertNothingLeft();
        Held after = atRest();
        report(up, gone, before, full, afterChurn, after);

        assertTrue(after.descriptors <= before.descriptors + 2, "descriptors: " + before + " then " + after);
        assertTrue(after.threads <= before.threads + 2, "threads: " + before + " then " + after);
        assertTrue(afterChurn.liveKib <= full.liveKib + LIVE_SLACK_KIB, "live objects: " + full + " then " + afterChurn);
        assertTrue(after.liveKib <= before.liveKib + LIVE_SLACK_KIB, "live objects: " + before + " then " + after);
        assertEquals(Map.of(), grown(before, after), "objects of these classes grew with the pods that came and went");
        assertTrue(afterChurn.pssKib <= full.pssKib + MEMORY_SLACK_KIB, "memory: " + full + " then " + afterChurn);
        assertTrue(after.pssKib <= before.pssKib + MEMORY_SLACK_KIB, "memory: " + before + " then " + after);
    }

    /** Classes with more objects than are kept on purpose: timelines of the last pods, figures until they are swept. */
    private static Map<String, Long> grown(Held before, Held after) {
        Map<String, Long> grown = new TreeMap<>();
        after.objects.forEach((name, count) -> {
            long more = count - before.objects.getOrDefault(name, 0L);
            if (more > KEPT_OBJECTS) {
                grown.put(name, more);
            }
        });
        return grown;
    }

    private void report(double up, double gone, Held before, Held full, Held churned, Held after) {
        List<Long> times = listNanos.stream().sorted().toList();
        System.out.printf("load: %d pods up in %.1f s, gone in %.1f s; %d cycles and %d probes in %d s;"
                        + " list p50 %.1f ms, p99 %.1f ms%nload: before %s, with pods %s, after churn %s, after all %s%n",
                PODS, up, gone, cycles.get(), probes.get(), CHURN.toSeconds(), times.get(times.size() / 2) / 1e6,
                times.get(times.size() * 99 / 100) / 1e6, before, full, churned, after);
    }

    /** Pods come and go on some threads; on another the standing ones are probed, measured and listed. */
    private void churn(Duration how, List<String> standing) throws Exception {
        AtomicBoolean end = new AtomicBoolean();
        try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Future<?>> work = new ArrayList<>();
            for (int i = 0; i < WORKERS; i++) {
                work.add(threads.submit(() -> {
                    while (!end.get()) {
                        cycle();
                    }
                    return null;
                }));
            }
            work.add(threads.submit(() -> {
                while (!end.get()) {
                    watch(standing);
                    Thread.sleep(20);
                }
                return null;
            }));
            long deadline = System.nanoTime() + how.toNanos();
            while (System.nanoTime() < deadline && work.stream().noneMatch(Future::isDone)) {
                Thread.sleep(50);
            }
            end.set(true);
            for (Future<?> each : work) {
                each.get(120, TimeUnit.SECONDS);
            }
        }
    }

    private void rotate(LogFlood flood, CountDownLatch end) {
        try {
            while (!end.await(ROTATION.toSeconds(), TimeUnit.SECONDS)) {
                flood.rotate();
            }
        } catch (InterruptedException | IOException | RuntimeException | AssertionError failure) {
            torn.add(failure);
        }
    }

    private void cycle() {
        var pod = daemon.pods().run(PodClient.config("p" + number.incrementAndGet(), daemon.node().logs()));
        String container = daemon.pods().run(pod, PodClient.container("c", "sh", "-c",
                "head -c 200000 /dev/zero | tr '\\0' x; echo; sleep 1000"));
        assertEquals("probe\n", daemon.pods().exec(container, "echo", "probe").getStdout().toStringUtf8());
        daemon.connection().runtime().containerStats(ContainerStatsRequest.newBuilder().setContainerId(container).build());
        daemon.pods().stop(pod);
        daemon.pods().remove(pod);
        cycles.incrementAndGet();
    }

    private void watch(List<String> standing) {
        long from = System.nanoTime();
        daemon.connection().runtime().listPodSandbox(ListPodSandboxRequest.getDefaultInstance());
        daemon.connection().runtime().listContainers(ListContainersRequest.getDefaultInstance());
        listNanos.add((System.nanoTime() - from) / 2);
        if (!standing.isEmpty()) {
            String one = standing.get(probes.incrementAndGet() % standing.size());
            assertEquals(0, daemon.pods().exec(one, "true").getExitCode());
        }
    }

    private static void atOnce(int times, Callable<Void> work) throws Exception {
        try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Future<Void>> all = new ArrayList<>();
            for (int i = 0; i < times; i++) {
                all.add(threads.submit(work));
            }
            for (Future<Void> each : all) {
                each.get(10, TimeUnit.MINUTES);
            }
        }
    }

    // Idle threads of the pools end after five seconds, free memory is given back every five.
    private Held atRest() throws Exception {
        Thread.sleep(7000);
        Held now = held();
        for (int i = 0; i < 10; i++) {
            Thread.sleep(1000);
            Held then = held();
            if (then.threads >= now.threads && then.descriptors >= now.descriptors) {
                return now;
            }
            now = then;
        }
        return now;
    }

    private Held held() throws IOException {
        Path process = Path.of("/proc", Integer.toString(daemon.pid()));
        long pss = Files.readAllLines(process.resolve("smaps_rollup")).stream().filter(line -> line.startsWith("Pss:"))
                .mapToLong(line -> Long.parseLong(line.replaceAll("[^0-9]", ""))).sum();
        List<String> histogram = histogram(daemon.pid());
        String last = histogram.getLast();
        assertTrue(last.startsWith("Total"), last);
        Map<String, Long> objects = new TreeMap<>();
        histogram.stream().map(line -> line.strip().split("\\s+")).filter(fields -> fields.length >= 4
                && fields[3].startsWith("io.berth.")).forEach(fields -> objects.merge(fields[3], Long.parseLong(fields[1]), Long::sum));
        return new Held(count(process.resolve("fd")), count(process.resolve("task")), Long.parseLong(last.split("\\s+")[2]) / 1024,
                pss, objects);
    }

    // Counting the objects collects those that nobody needs first.
    private static List<String> histogram(int pid) throws IOException {
        Process counting = new ProcessBuilder(System.getProperty("java.home") + "/bin/jcmd", Integer.toString(pid),
                "GC.class_histogram").redirectErrorStream(true).start();
        return new String(counting.getInputStream().readAllBytes()).strip().lines().toList();
    }

    private static long count(Path directory) throws IOException {
        try (Stream<Path> entries = Files.list(directory)) {
            return entries.count();
        }
    }
}
