package io.berth.image;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.berth.base.Digest;
import io.berth.base.RuntimeFault;
import io.berth.base.RuntimeFault.Kind;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Pulls that are joined, left, starved and challenged anew, from a registry whose answers the test holds back. */
@Timeout(60)
class SharedPullsTest {

    @TempDir
    Path root;

    private final TestImage made = new TestImage("one", "x".repeat(200_000));
    private final ConcurrentLinkedQueue<String> requests = new ConcurrentLinkedQueue<>();
    private final CountDownLatch blobAsked = new CountDownLatch(1);
    private final Semaphore mayAnswer = new Semaphore(0);
    private volatile boolean tokens;
    private final Set<String> goodOnce = ConcurrentHashMap.newKeySet();
    private final AtomicInteger tokensGiven = new AtomicInteger();
    private Images images;
    private HttpServer server;
    private PullOptions options;

    @BeforeEach
    void open() throws IOException {
        images = new Images(root, Unpackers.only(new FakeUnpacker()), name -> false);
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.setExecutor(Executors.newVirtualThreadPerTaskExecutor());
        server.createContext("/", this::serve);
        server.start();
        options = PullOptions.defaults().withDiscardUnpacked(false)
                .withBackoff(3, Duration.ofMillis(5), Duration.ofMillis(20));
    }

    @AfterEach
    void stop() {
        mayAnswer.release(1000);
        server.stop(0);
    }

    private void serve(HttpExchange exchange) throws IOException {
        try (exchange) {
            String path = exchange.getRequestURI().getPath();
            requests.add(path);
            String last = path.substring(path.lastIndexOf('/') + 1);
            if (path.equals("/token")) {
                int number = tokensGiven.incrementAndGet();
                goodOnce.add("Bearer t" + number);
                answer(exchange, "", TestImage.bytes("{\"token\":\"t" + number + "\"}"), 200);
            } else if (tokens && !goodOnce.remove(String.valueOf(exchange.getRequestHeaders().getFirst("Authorization")))) {
                exchange.getResponseHeaders().set("WWW-Authenticate", "Bearer realm=\"http://127.0.0.1:"
                        + server.getAddress().getPort() + "/token\",service=\"s\",scope=\"repository:app:pull\"");
                answer(exchange, "", new byte[0], 401);
            } else if (path.contains("/manifests/")) {
                boolean index = !last.equals(made.manifestDigest().toString());
                answer(exchange, index ? MediaTypes.OCI_INDEX : MediaTypes.OCI_MANIFEST, index ? made.index : made.manifest, 200);
            } else {
                Digest digest = Digest.parse(last);
                if (digest.equals(made.layers.getLast())) {
                    blobAsked.countDown();
                    mayAnswer.acquireUninterruptibly();
                }
                answer(exchange, "", made.blobs.get(digest), 200);
            }
        }
    }

    private static void answer(HttpExchange exchange, String type, byte[] body, int status) throws IOException {
        exchange.getResponseHeaders().set("Content-Type", type);
        exchange.sendResponseHeaders(status, body.length == 0 ? -1 : body.length);
        exchange.getResponseBody().write(body);
    }

    private ImageReference name() {
        return ImageReference.parse("127.0.0.1:" + server.getAddress().getPort() + "/app:v1");
    }

    private CompletableFuture<Image> begin(SharedPulls pulls, Thread[] thread) {
        CompletableFuture<Image> result = new CompletableFuture<>();
        thread[0] = Thread.ofVirtual().start(() -> {
            try {
                result.complete(pulls.pull(name(), Optional.empty()));
            } catch (RuntimeException e) {
                result.completeExceptionally(e);
            }
        });
        return result;
    }

    private long asked(Digest blob) {
        return requests.stream().filter(path -> path.endsWith(blob.toString())).count();
    }

    @Test
    void twoWhoAskForTheSameImageShareOnePull() throws Exception {
        SharedPulls pulls = new SharedPulls(new PullImage(images, options));
        CompletableFuture<Image> one = begin(pulls, new Thread[1]);
        blobAsked.await();
        CompletableFuture<Image> two = begin(pulls, new Thread[1]);
        PullProgress.Snapshot now = pulls.progress().getFirst();
        assertEquals(PullProgress.Phase.DOWNLOADING, now.phase());
        assertEquals(made.layers, now.layers().stream().map(PullProgress.Layer::blob).toList());
        assertEquals(made.blobs.get(made.layers.getLast()).length, now.layers().getLast().totalBytes());
        mayAnswer.release(10);
        assertEquals(one.get(20, TimeUnit.SECONDS), two.get(20, TimeUnit.SECONDS));
        assertEquals(1, asked(made.layers.getLast()));
        PullProgress.Snapshot end = pulls.progress().getFirst();
        assertEquals(PullProgress.Phase.DONE, end.phase());
        assertEquals(end.totalBytes(), end.doneBytes());
    }

    @Test
    void differentImagesWithOneBlobShareItsDownload() throws Exception {
        PullImage pull = new PullImage(images, options);
        CompletableFuture<Image> one = begin(new SharedPulls(pull), new Thread[1]);
        blobAsked.await();
        CompletableFuture<Image> two = begin(new SharedPulls(pull), new Thread[1]);
        while (requests.stream().filter(path -> path.endsWith("/manifests/v1")).count() < 2) {
            Thread.sleep(5);
        }
        mayAnswer.release(10);
        assertEquals(one.get(20, TimeUnit.SECONDS).id(), two.get(20, TimeUnit.SECONDS).id());
        assertEquals(1, asked(made.layers.getLast()));
    }

    @Test
    void aPullThatItsClientLeavesGoesOnAndIsJoined() throws Exception {
        SharedPulls pulls = new SharedPulls(new PullImage(images, options));
        Thread[] client = new Thread[1];
        CompletableFuture<Image> left = begin(pulls, client);
        blobAsked.await();
        client[0].interrupt();
        ExecutionException gone = assertThrows(ExecutionException.class, () -> left.get(20, TimeUnit.SECONDS));
        assertEquals(Kind.CANCELLED, ((RuntimeFault) gone.getCause()).kind());
        CompletableFuture<Image> again = begin(pulls, new Thread[1]);
        mayAnswer.release(10);
        assertEquals(made.id(), again.get(20, TimeUnit.SECONDS).id());
        assertEquals(1, asked(made.layers.getLast()));
    }

    @Test
    void anAbandonedPullEndsAfterItsTime() throws Exception {
        SharedPulls pulls = new SharedPulls(new PullImage(images, options.withAbandonedLimit(Duration.ofMillis(50))));
        Thread[] client = new Thread[1];
        CompletableFuture<Image> left = begin(pulls, client);
        blobAsked.await();
        client[0].interrupt();
        assertThrows(ExecutionException.class, () -> left.get(20, TimeUnit.SECONDS));
        while (pulls.progress().getFirst().phase() != PullProgress.Phase.FAILED) {
            Thread.sleep(5);
        }
        assertTrue(images.list().isEmpty());
    }

    @Test
    void aPullToWhichNothingComesEndsThoughItsRequestsAreRepeated() throws Exception {
        // So many attempts that only the limit of the whole pull can end it.
        SharedPulls pulls = new SharedPulls(new PullImage(images, options.withStallLimit(Duration.ofMillis(600))
                .withBackoff(1000, Duration.ofMillis(5), Duration.ofMillis(20))));
        RuntimeFault fault = assertThrows(RuntimeFault.class, () -> pulls.pull(name(), Optional.empty()));
        assertEquals(Kind.UNAVAILABLE, fault.kind());
        assertTrue(fault.getMessage().contains("nothing came"), fault.getMessage());
        assertFalse(images.content().has(made.layers.getLast()));
    }

    @Test
    void aTokenThatIsNoLongerTakenIsAskedForAnew() {
        tokens = true;
        mayAnswer.release(100);
        PullOptions one = options.withConcurrency(1, 1);
        assertEquals(made.id(), new SharedPulls(new PullImage(images, one)).pull(name(), Optional.empty()).id());
        assertTrue(requests.stream().filter("/token"::equals).count() > 2, List.copyOf(requests).toString());
    }
}
