package io.berth.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executors;
import java.util.concurrent.LinkedBlockingQueue;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/** The console's page with 200 pods, which a feed of this test tells of: rows are changed, not made anew. */
@Timeout(120)
class ConsoleManyPodsIT {

    private static final int PODS = 200;
    private static final Map<String, String> TYPES = Map.of("html", "text/html", "css", "text/css", "js", "text/javascript",
            "svg", "image/svg+xml");

    @TempDir
    private Path directory;

    private final LinkedBlockingQueue<ObjectNode> feed = new LinkedBlockingQueue<>();

    private void answer(HttpExchange exchange) throws IOException {
        String path = exchange.getRequestURI().getPath();
        try (exchange) {
            if (path.equals("/api/live")) {
                exchange.sendResponseHeaders(200, 0);
                while (true) {
                    exchange.getResponseBody().write((feed.take() + "\n").getBytes(StandardCharsets.UTF_8));
                    exchange.getResponseBody().flush();
                }
            }
            String name = path.equals("/") ? "index.html" : path.substring(1);
            try (InputStream file = getClass().getResourceAsStream("/io/berth/server/console/" + name)) {
                assertNotNull(file, name);
                exchange.getResponseHeaders().set("Content-Type", TYPES.get(name.replaceFirst(".*\\.", "")));
                exchange.sendResponseHeaders(200, 0);
                file.transferTo(exchange.getResponseBody());
            }
        } catch (InterruptedException theTestEnds) {
            Thread.currentThread().interrupt();
        }
    }

    private static ObjectNode pods(String lastState) {
        ObjectNode message = JsonMapper.shared().createObjectNode().put("kind", "pods");
        ArrayNode pods = message.putArray("pods");
        for (int i = 0; i < PODS; i++) {
            ObjectNode pod = pods.addObject().put("id", "%064x".formatted(i)).put("name", "pod-" + i)
                    .put("namespace", "team-" + i % 7).put("attempt", 0).put("state", i == PODS - 1 ? lastState : "ready")
                    .put("createdAt", 1_790_000_000_000L - i)
                    .put("handler", "runc").put("hostNetwork", false);
            pod.putArray("addresses").add("10.0.0." + i);
            for (String name : List.of("app", "proxy")) {
                ObjectNode container = pod.withArray("containers").addObject();
                container.put("id", name + i).put("name", name).put("attempt", 0).put("state", "running")
                        .put("image", "image:" + i).put("createdAt", 1).put("startedAt", 1).put("endedAt", 0).put("exitCode", 0)
                        .put("reason", "").put("message", "");
            }
        }
        return message;
    }

    private static ObjectNode usage(int number) {
        ObjectNode message = JsonMapper.shared().createObjectNode().put("kind", "usage");
        ObjectNode sample = message.putArray("samples").addObject().put("at", 1_790_000_000_000L + number * 2000L);
        ObjectNode figures = sample.putObject("figures");
        for (int i = 0; i < PODS; i++) {
            figures.putArray("%064x".formatted(i)).add((long) (1e7 * (1 + (i * 7 + number * 3) % 11)))
                    .add(1_000_000L * (i + number)).add(1000L * number * i).add(500L * number * i).add(3);
        }
        return message;
    }

    @Test
    void rowsAreChangedAndNotMadeAnew() throws Exception {
        HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        try (var threads = Executors.newVirtualThreadPerTaskExecutor(); Browser browser = Browser.start(directory)) {
            server.setExecutor(threads);
            server.createContext("/", this::answer);
            server.start();
            browser.open("http://127.0.0.1:" + server.getAddress().getPort() + "/#" + "a".repeat(43));
            feed.add(pods("ready"));
            browser.await("return document.querySelectorAll('#pods tr').length === " + PODS);
            browser.run("window.added = 0; window.told = 0; new MutationObserver(all => { told++; all.forEach(each => {"
                    + " if (each.target.id === 'pods') added += each.addedNodes.length }) })"
                    + ".observe(document.getElementById('pods'), {childList: true, subtree: true, attributes: true})");
            for (int i = 1; i <= 30; i++) {
                feed.add(usage(i));
            }
            browser.await("return document.querySelectorAll('#pods .meter .line[d]').length === " + 2 * PODS);
            feed.add(pods("stopped"));
            browser.await("return [...document.querySelectorAll('#pods .state')]"
                    + ".filter(each => each.textContent === 'stopped').length === 1");
            assertTrue(browser.run("return told").asInt() > 0, "the observer sees nothing");
            assertEquals(0, browser.run("return added").asInt(), "rows were put in anew");
            browser.run("document.getElementById('filter').focus()");
            browser.type("pod-19");
            browser.await("return document.querySelectorAll('#pods tr').length === 11"
                    + " && document.getElementById('pods-count').innerText === '11 of 200'");
            browser.picture(Path.of("target/console-pictures/many.png"));
            threads.shutdownNow();
        } finally {
            server.stop(0);
        }
    }
}
