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
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Predicate;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Pulls from a registry that misbehaves on purpose. */
@Timeout(60)
class PullImageTest {

    /** Answers a request, or leaves it to the honest registry. */
    interface Trick {
        boolean plays(HttpExchange exchange) throws IOException;
    }

    @TempDir
    Path root;

    private final FakeUnpacker unpacker = new FakeUnpacker();
    private final TestImage made = new TestImage("one", noise(300_000));
    private final ConcurrentLinkedQueue<String> requests = new ConcurrentLinkedQueue<>();
    private volatile Trick trick = exchange -> false;
    private Images images;
    private HttpServer server;
    private HttpServer other;
    private PullOptions options;

    private static String noise(int length) {
        Random random = new Random(1);
        StringBuilder text = new StringBuilder();
        random.ints(length, 32, 127).forEach(c -> text.append((char) c));
        return text.toString();
    }

    @BeforeEach
    void open() throws IOException {
        images = new Images(root, Unpackers.only(unpacker), name -> false);
        server = start();
        other = start();
        options = PullOptions.defaults().withDiscardUnpacked(false).withBackoff(3, Duration.ofMillis(10), Duration.ofMillis(200))
                .withStallLimit(Duration.ofSeconds(1));
    }

    private HttpServer start() throws IOException {
        HttpServer made = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        made.setExecutor(Executors.newVirtualThreadPerTaskExecutor());
        made.createContext("/", this::serve);
        made.start();
        return made;
    }

    @AfterEach
    void stop() {
        server.stop(0);
        other.stop(0);
    }

    private void serve(HttpExchange exchange) throws IOException {
        String range = exchange.getRequestHeaders().getFirst("Range");
        requests.add(exchange.getRequestURI().getPath() + (range == null ? "" : " " + range));
        try (exchange) {
            if (!trick.plays(exchange)) {
                honest(exchange);
            }
        }
    }

    private void honest(HttpExchange exchange) throws IOException {
        String path = exchange.getRequestURI().getPath();
        String last = path.substring(path.lastIndexOf('/') + 1);
        if (path.contains("/manifests/")) {
            boolean index = !last.equals(made.manifestDigest().toString());
            exchange.getResponseHeaders().set("Content-Type", index ? MediaTypes.OCI_INDEX : MediaTypes.OCI_MANIFEST);
            answer(exchange, 200, index ? made.index : made.manifest);
        } else if (Digest.isDigest(last) && made.blobs.containsKey(Digest.parse(last))) {
            blob(exchange, made.blobs.get(Digest.parse(last)));
        } else {
            answer(exchange, 404, new byte[0]);
        }
    }

    private static void blob(HttpExchange exchange, byte[] bytes) throws IOException {
        String range = exchange.getRequestHeaders().getFirst("Range");
        if (range == null) {
            answer(exchange, 200, bytes);
        } else {
            int from = Integer.parseInt(range.replaceAll("\\D", ""));
            exchange.getResponseHeaders().set("Content-Range", "bytes " + from + "-" + (bytes.length - 1) + "/" + bytes.length);
            answer(exchange, 206, Arrays.copyOfRange(bytes, from, bytes.length));
        }
    }

    private static boolean answer(HttpExchange exchange, int status, byte[] body) throws IOException {
        exchange.sendResponseHeaders(status, body.length == 0 ? -1 : body.length);
        if (body.length > 0) {
            exchange.getResponseBody().write(body);
        }
        return true;
    }

    private String name() {
        return "127.0.0.1:" + server.getAddress().getPort() + "/team/app:v1";
    }

    private Image pull(RegistryCredentials... credentials) {
        return new PullImage(images, options).pull(ImageReference.parse(name()),
                Arrays.stream(credentials).findFirst(), PullListener.NONE);
    }

    private RuntimeFault failure(RegistryCredentials... credentials) {
        return assertThrows(RuntimeFault.class, () -> pull(credentials));
    }

    private long asked(Predicate<String> which) {
        return requests.stream().filter(which).count();
    }

    private static boolean isBlob(HttpExchange exchange, Digest blob) {
        return exchange.getRequestURI().getPath().endsWith("/blobs/" + blob);
    }

    @Test
    void aBrokenDownloadGoesOnWhereItBroke() {
        Digest large = made.layers.getLast();
        byte[] bytes = made.blobs.get(large);
        AtomicInteger breaks = new AtomicInteger();
        trick = exchange -> {
            if (!isBlob(exchange, large) || breaks.incrementAndGet() > 2) {
                return false;
            }
            String range = exchange.getRequestHeaders().getFirst("Range");
            int from = range == null ? 0 : Integer.parseInt(range.replaceAll("\\D", ""));
            if (from > 0) {
                exchange.getResponseHeaders().set("Content-Range", "bytes " + from + "-" + (bytes.length - 1) + "/" + bytes.length);
            }
            exchange.sendResponseHeaders(from > 0 ? 206 : 200, bytes.length - from);
            OutputStream out = exchange.getResponseBody();
            out.write(bytes, from, 70_000);
            out.flush();
            throw new IOException("the test breaks the connection");
        };
        assertEquals(made.id(), pull().id());
        assertTrue(asked(r -> r.contains(large.toString()) && r.contains("bytes=")) >= 1, requests.toString());
    }

    @Test
    void aServerThatIgnoresRangesIsReadFromTheStart() {
        Digest large = made.layers.getLast();
        try (Ingest begun = images.content().ingest(large, made.blobs.get(large).length)) {
            begun.write(made.blobs.get(large), 0, 1000);
        }
        trick = exchange -> isBlob(exchange, large) && answer(exchange, 200, made.blobs.get(large));
        assertEquals(made.id(), pull().id());
    }

    @Test
    void aDamagedPartialIsReplaced() {
        Digest large = made.layers.getLast();
        try (Ingest begun = images.content().ingest(large, made.blobs.get(large).length)) {
            begun.write(new byte[1000], 0, 1000);
        }
        assertEquals(made.id(), pull().id());
    }

    @Test
    void aStalledDownloadIsGivenUp() throws Exception {
        CountDownLatch end = new CountDownLatch(1);
        trick = exchange -> {
            if (!isBlob(exchange, made.layers.getLast())) {
                return false;
            }
            exchange.sendResponseHeaders(200, 1_000_000);
            exchange.getResponseBody().flush();
            await(end);
            return true;
        };
        options = options.withBackoff(1, Duration.ofMillis(1), Duration.ofMillis(1)).withStallLimit(Duration.ofMillis(300));
        RuntimeFault fault = failure();
        end.countDown();
        assertEquals(Kind.UNAVAILABLE, fault.kind(), fault.getMessage());
        assertTrue(fault.getMessage().contains("no byte came"), fault.getMessage());
    }

    private static void await(CountDownLatch latch) {
        try {
            latch.await(20, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    @Test
    void passingErrorsAreRetriedAndLastingOnesAreNot() {
        AtomicInteger count = new AtomicInteger();
        trick = exchange -> {
            int now = count.incrementAndGet();
            if (now == 1) {
                exchange.getResponseHeaders().set("Retry-After", "1");
                return answer(exchange, 429, new byte[0]);
            }
            return now == 2 && answer(exchange, 503, new byte[0]);
        };
        assertEquals(made.id(), pull().id());
        requests.clear();
        trick = exchange -> answer(exchange, 403, TestImage.bytes(
                "{\"errors\":[{\"code\":\"DENIED\",\"message\":\"your plan\\u001b[31m has ended\"}]}"));
        RuntimeFault fault = failure();
        assertEquals(Kind.PERMISSION_DENIED, fault.kind());
        assertTrue(fault.getMessage().contains("your plan [31m has ended"), fault.getMessage());
        assertEquals(1, requests.size());
        trick = exchange -> answer(exchange, 500, new byte[0]);
        assertEquals(Kind.UNAVAILABLE, failure().kind());
        assertEquals(4, requests.size());
    }

    @Test
    void aTokenIsFetchedAndThePasswordGoesToTheTokenServerOnly() {
        String basic = "Basic " + Base64.getEncoder().encodeToString("user:secret".getBytes());
        ConcurrentLinkedQueue<String> leaks = new ConcurrentLinkedQueue<>();
        trick = exchange -> {
            String sent = String.valueOf(exchange.getRequestHeaders().getFirst("Authorization"));
            if (exchange.getRequestURI().getPath().equals("/token")) {
                assertEquals("service=the+service&scope=repository%3Ateam%2Fapp%3Apull", exchange.getRequestURI().getRawQuery());
                return sent.equals(basic) ? answer(exchange, 200, TestImage.bytes("{\"token\":\"good\"}"))
                        : answer(exchange, 401, new byte[0]);
            }
            if (sent.equals(basic)) {
                leaks.add(exchange.getRequestURI().toString());
            }
            if (sent.equals("Bearer good")) {
                return false;
            }
            exchange.getResponseHeaders().set("WWW-Authenticate", "Bearer realm=\"http://127.0.0.1:"
                    + server.getAddress().getPort() + "/token\",service=\"the service\",scope=\"repository:team/app:pull\"");
            return answer(exchange, 401, new byte[0]);
        };
        assertEquals(made.id(), pull(RegistryCredentials.basic("user", "secret")).id());
        assertEquals(1, asked(r -> r.equals("/token")));
        assertTrue(leaks.isEmpty());
        assertEquals(Kind.UNAUTHENTICATED, failure(RegistryCredentials.basic("user", "wrong")).kind());
        assertEquals(Kind.UNAUTHENTICATED, failure().kind());
        String auth = Base64.getEncoder().encodeToString("user:secret".getBytes());
        assertEquals(made.id(), pull(new RegistryCredentials("", "", auth, "", "", "")).id());
        assertEquals(made.id(), pull(new RegistryCredentials("", "", "", "", "good", "")).id());
        assertEquals(Kind.UNAUTHENTICATED, failure(new RegistryCredentials("user", "secret", "", "", "", "elsewhere.example")).kind());
    }

    @Test
    void aRedirectToAnotherHostCarriesNoCredentials() {
        ConcurrentLinkedQueue<String> atOther = new ConcurrentLinkedQueue<>();
        trick = exchange -> {
            String sent = exchange.getRequestHeaders().getFirst("Authorization");
            if (exchange.getLocalAddress().getPort() == other.getAddress().getPort()) {
                atOther.add(String.valueOf(sent));
                return false;
            }
            if (sent == null) {
                exchange.getResponseHeaders().set("WWW-Authenticate", "Basic realm=\"r\"");
                return answer(exchange, 401, new byte[0]);
            }
            if (exchange.getRequestURI().getPath().contains("/blobs/")) {
                exchange.getResponseHeaders().set("Location", "http://127.0.0.1:" + other.getAddress().getPort()
                        + exchange.getRequestURI().getPath());
                return answer(exchange, 307, new byte[0]);
            }
            return false;
        };
        assertEquals(made.id(), pull(RegistryCredentials.basic("user", "secret")).id());
        assertEquals(List.of("null", "null", "null"), List.copyOf(atOther));
        trick = exchange -> {
            exchange.getResponseHeaders().set("Location", "file:///etc/passwd");
            return answer(exchange, 302, new byte[0]);
        };
        assertEquals(Kind.UNAVAILABLE, failure().kind());
    }

    @Test
    void manifestsThatLieAreRefused() {
        trick = exchange -> exchange.getRequestURI().getPath().endsWith(made.manifestDigest().toString())
                && answer(exchange, 200, TestImage.bytes(new String(made.manifest) + " "));
        assertEquals(Kind.DATA_LOSS, failure().kind());
        byte[] both = TestImage.bytes(new String(made.index).replaceFirst("}$", ",\"layers\":[]}"));
        for (Object[] lie : new Object[][] {
            {MediaTypes.OCI_MANIFEST, made.index, Kind.DATA_LOSS}, {MediaTypes.OCI_INDEX, both, Kind.DATA_LOSS},
            {MediaTypes.OCI_INDEX, TestImage.bytes("[]"), Kind.DATA_LOSS}, {"text/html", TestImage.bytes("<html>"), Kind.DATA_LOSS},
            {"application/vnd.docker.distribution.manifest.v1+prettyjws", TestImage.bytes("{}"), Kind.UNSUPPORTED},
            {MediaTypes.OCI_MANIFEST, TestImage.bytes(new String(made.manifest).replace("tar+gzip", "tar+magic")), Kind.UNSUPPORTED},
            {MediaTypes.OCI_MANIFEST, TestImage.bytes(new String(made.manifest).replace("\"size\":", "\"size\":-")), Kind.DATA_LOSS}}) {
            trick = exchange -> {
                exchange.getResponseHeaders().set("Content-Type", (String) lie[0]);
                return answer(exchange, 200, (byte[]) lie[1]);
            };
            RuntimeFault fault = failure();
            assertEquals(lie[2], fault.kind(), fault.getMessage());
        }
        assertTrue(images.list().isEmpty());
    }

    @Test
    void aMissingPlatformSaysWhatThereIs() {
        TestImage foreign = new TestImage(new Platform("linux", "s390x", ""), "x");
        trick = exchange -> {
            exchange.getResponseHeaders().set("Content-Type", MediaTypes.OCI_INDEX);
            return answer(exchange, 200, foreign.index);
        };
        RuntimeFault fault = failure();
        assertEquals(Kind.NOT_FOUND, fault.kind());
        assertEquals("pull image " + name() + ": it has no variant for " + Platform.host() + "; it has: linux/s390x",
                fault.getMessage());
    }

    @Test
    void pullsOfOneImageAtTheSameTimeDownloadOnce() throws Exception {
        PullImage pulling = new PullImage(images, options);
        try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
            for (int i = 0; i < 8; i++) {
                threads.submit(() -> pulling.pull(ImageReference.parse(name()), Optional.empty(), PullListener.NONE));
            }
        }
        assertEquals(1, images.list().size());
        for (Digest blob : made.blobs.keySet()) {
            assertEquals(1, asked(r -> r.contains(blob.toString())));
        }
    }

    @Test
    void anInterruptedPullIsCancelledAndTheNextOneGoesOn() throws Exception {
        CountDownLatch begun = new CountDownLatch(1);
        CountDownLatch end = new CountDownLatch(1);
        Digest large = made.layers.getLast();
        byte[] bytes = made.blobs.get(large);
        trick = exchange -> {
            if (!isBlob(exchange, large)) {
                return false;
            }
            exchange.sendResponseHeaders(200, bytes.length);
            exchange.getResponseBody().write(bytes, 0, 100_000);
            exchange.getResponseBody().flush();
            begun.countDown();
            await(end);
            return true;
        };
        var failure = new java.util.concurrent.CompletableFuture<RuntimeFault>();
        options = options.withStallLimit(Duration.ofSeconds(30));
        Thread pulling = Thread.ofVirtual().start(() -> failure.complete(failure()));
        begun.await();
        Path partial = root.resolve("content/ingest/sha256-" + large.hex());
        while (!Files.exists(partial) || Files.size(partial) == 0) {
            Thread.sleep(5);
        }
        pulling.interrupt();
        assertEquals(Kind.CANCELLED, failure.get(10, TimeUnit.SECONDS).kind());
        end.countDown();
        trick = exchange -> false;
        requests.clear();
        assertEquals(made.id(), pull().id());
        assertEquals(1, asked(r -> r.contains(large.toString()) && r.contains("bytes=")), requests.toString());
        assertFalse(Files.exists(partial));
    }
}
