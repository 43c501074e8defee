package io.berth.server.console;

import com.sun.net.httpserver.Headers;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpHandler;
import io.berth.base.RuntimeFault;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import tools.jackson.databind.node.ObjectNode;

/**
 * Every request of the console: refused unless it is a GET that names this machine, and for all that tells of the node also
 * shows the token. Thread-safe.
 *
 * <p>The token comes in the header {@code Authorization}, never in a cookie: browsers send cookies of 127.0.0.1 to every port
 * there, also to one that a container on the node's network listens on. The page itself holds no secret and needs no token.
 */
final class ConsoleEdge implements HttpHandler {

    private static final Logger LOG = LoggerFactory.getLogger(ConsoleEdge.class);

    private static final long TELL_AGAIN_NANOS = 60_000_000_000L;
    private static final String BEARER = "Bearer ";

    /**
     * Names under which a browser on this machine, or at the other end of an SSH tunnel, reaches it. Any other name was made to
     * point here by a stranger's name server. The port is not looked at: a tunnel may have another one.
     */
    private static final Set<String> HOSTS = Set.of("127.0.0.1", "localhost", "[::1]");

    private static final Map<String, String> FILES = Stream.of("console.css", "main.js", "dom.js", "pods.js", "story.js",
            "logs.js", "panels.js", "words.js", "feed.js", "favicon.svg", "index.html")
            .collect(Collectors.toUnmodifiableMap(name -> name.equals("index.html") ? "/" : "/" + name, name -> name));

    private static final Map<String, String> TYPES = Map.of("html", "text/html; charset=utf-8", "css", "text/css; charset=utf-8",
            "js", "text/javascript; charset=utf-8", "svg", "image/svg+xml");

    private final LoginFile login;
    private final PodStory stories;
    private final LogTail logs;
    private final Feeds feeds;
    private final AtomicLong toldAtNanos = new AtomicLong(System.nanoTime() - TELL_AGAIN_NANOS);

    ConsoleEdge(LoginFile login, PodStory stories, LogTail logs, Feeds feeds) {
        this.login = login;
        this.stories = stories;
        this.logs = logs;
        this.feeds = feeds;
    }

    @Override
    public void handle(HttpExchange exchange) throws IOException {
        try (exchange) {
            secure(exchange.getResponseHeaders());
            answer(exchange);
        } catch (RuntimeFault fault) {
            LOG.atDebug().setCause(fault).log("console request failed");
        } catch (UncheckedIOException theBrowserHasGone) {
            LOG.atDebug().setCause(theBrowserHasGone).log("console request ended");
        }
    }

    // Nothing but the page's own files runs or is fetched, text cannot become markup, nobody frames the page.
    private static void secure(Headers headers) {
        headers.set("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self';"
                + " connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none';"
                + " require-trusted-types-for 'script'; trusted-types 'none'");
        headers.set("X-Content-Type-Options", "nosniff");
        headers.set("X-Frame-Options", "DENY");
        headers.set("Referrer-Policy", "no-referrer");
        headers.set("Cross-Origin-Opener-Policy", "same-origin");
        headers.set("Cross-Origin-Resource-Policy", "same-origin");
        headers.set("Cache-Control", "no-store");
    }

    private void answer(HttpExchange exchange) throws IOException {
        String path = exchange.getRequestURI().getRawPath();
        if (!exchange.getRequestMethod().equals("GET")) {
            exchange.getResponseHeaders().set("Allow", "GET");
            refuse(exchange, 405, "the console only shows: use GET");
        } else if (!isThisMachine(exchange.getRequestHeaders())) {
            refuse(exchange, 403, "this name is not the console's: use the address that \"berth console\" prints");
        } else if (FILES.containsKey(path)) {
            file(exchange, FILES.get(path));
        } else if (!path.startsWith("/api/")) {
            refuse(exchange, 404, "there is no such page");
        } else if (!showsToken(exchange)) {
            exchange.getResponseHeaders().set("WWW-Authenticate", "Bearer realm=\"berth\"");
            refuse(exchange, 401, "a token is needed: \"berth console\" prints it");
        } else {
            api(exchange, path);
        }
    }

    private static boolean isThisMachine(Headers headers) {
        var hosts = headers.getOrDefault("Host", java.util.List.of());
        return hosts.size() == 1 && HOSTS.contains(hosts.getFirst().replaceFirst(":[0-9]{1,5}$", ""));
    }

    private boolean showsToken(HttpExchange exchange) {
        var shown = exchange.getRequestHeaders().getOrDefault("Authorization", java.util.List.of());
        boolean opens = shown.size() == 1 && shown.getFirst().startsWith(BEARER)
                && login.opens(shown.getFirst().substring(BEARER.length()));
        long now = System.nanoTime();
        long told = toldAtNanos.get();
        // Once a minute: others on this machine must not fill the log.
        if (!opens && now - told >= TELL_AGAIN_NANOS && toldAtNanos.compareAndSet(told, now)) {
            LOG.atWarn().addKeyValue("client", exchange.getRemoteAddress()).addKeyValue("shown", !shown.isEmpty())
                    .log("console refused a request without its token");
        }
        return opens;
    }

    private void api(HttpExchange exchange, String path) throws IOException {
        if (path.equals("/api/live")) {
            exchange.getResponseHeaders().set("Content-Type", "application/x-ndjson");
            exchange.sendResponseHeaders(200, 0);
            feeds.feed(exchange.getResponseBody());
        } else if (path.startsWith("/api/pods/")) {
            send(exchange, stories.of(path.substring("/api/pods/".length())), "there is no such pod");
        } else if (path.startsWith("/api/logs/")) {
            send(exchange, logs.of(path.substring("/api/logs/".length())), "there is no such container");
        } else {
            refuse(exchange, 404, "there is no such call");
        }
    }

    private static void send(HttpExchange exchange, Optional<ObjectNode> answer, String none) throws IOException {
        if (answer.isPresent()) {
            exchange.getResponseHeaders().set("Content-Type", "application/json");
            send(exchange, 200, answer.get().toString().getBytes(StandardCharsets.UTF_8));
        } else {
            refuse(exchange, 404, none);
        }
    }

    private static void file(HttpExchange exchange, String name) throws IOException {
        try (InputStream file = ConsoleEdge.class.getResourceAsStream(name)) {
            if (file == null) {
                throw RuntimeFault.internal("serve the console's file " + name + ": it is not in the program", null);
            }
            exchange.getResponseHeaders().set("Content-Type", TYPES.get(name.substring(name.lastIndexOf('.') + 1)));
            send(exchange, 200, file.readAllBytes());
        }
    }

    private static void refuse(HttpExchange exchange, int status, String reason) throws IOException {
        exchange.getResponseHeaders().set("Content-Type", "text/plain; charset=utf-8");
        send(exchange, status, (reason + "\n").getBytes(StandardCharsets.UTF_8));
    }

    private static void send(HttpExchange exchange, int status, byte[] body) throws IOException {
        exchange.sendResponseHeaders(status, body.length);
        exchange.getResponseBody().write(body);
    }
}
