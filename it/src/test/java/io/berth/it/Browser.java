package io.berth.it;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.BufferedReader;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/** A real Chromium without a window, driven through chromedriver. Source: the W3C's WebDriver. Closing it ends both. */
final class Browser implements AutoCloseable {

    private static final Duration PATIENCE = Duration.ofSeconds(30);
    private static final Pattern PORT = Pattern.compile("started successfully on port ([0-9]+)");
    private static final String ELEMENT = "element-6066-11e4-a52e-4f735466cecf";

    private final Process driver;
    private final HttpClient http = HttpClient.newHttpClient();
    private final URI base;
    private final String session;

    private Browser(Process driver, URI base) throws IOException, InterruptedException {
        this.driver = driver;
        this.base = base;
        this.session = "/session/" + send("POST", "/session", capabilities()).path("sessionId").asString();
    }

    /** Starts it; its profile is empty and temporary. */
    static Browser start(Path directory) throws IOException, InterruptedException {
        ProcessBuilder program = new ProcessBuilder("chromedriver", "--port=0").redirectErrorStream(true)
                .directory(directory.toFile());
        // What Chromium leaves behind goes with the test.
        program.environment().put("TMPDIR", directory.toString());
        Process driver = program.start();
        try {
            BufferedReader said = driver.inputReader();
            for (String line = said.readLine(); line != null; line = said.readLine()) {
                Matcher port = PORT.matcher(line);
                if (port.find()) {
                    return new Browser(driver, URI.create("http://127.0.0.1:" + port.group(1)));
                }
            }
            throw new AssertionError("chromedriver ended before it listened");
        } catch (IOException | InterruptedException | RuntimeException e) {
            driver.destroy();
            throw e;
        }
    }

    private static ObjectNode capabilities() {
        ObjectNode body = object();
        ObjectNode wanted = body.putObject("capabilities").putObject("alwaysMatch");
        ObjectNode chrome = wanted.putObject("goog:chromeOptions");
        var arguments = chrome.putArray("args");
        List.of("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
                "--disable-background-networking", "--disable-component-update", "--disable-sync",
                "--disable-dev-shm-usage", "--hide-scrollbars", "--window-size=1500,1000", "--lang=en-GB").forEach(arguments::add);
        wanted.putObject("goog:loggingPrefs").put("browser", "ALL");
        return body;
    }

    private static ObjectNode object() {
        return JsonMapper.shared().createObjectNode();
    }

    private JsonNode send(String method, String path, ObjectNode body) throws IOException, InterruptedException {
        HttpRequest request = HttpRequest.newBuilder(base.resolve(path)).timeout(PATIENCE)
                .method(method, method.equals("POST") ? HttpRequest.BodyPublishers.ofString(body.toString())
                        : HttpRequest.BodyPublishers.noBody()).build();
        HttpResponse<String> answer = http.send(request, HttpResponse.BodyHandlers.ofString(StandardCharsets.UTF_8));
        JsonNode value = JsonMapper.shared().readTree(answer.body()).path("value");
        assertEquals(200, answer.statusCode(), () -> method + " " + path + ": " + value.path("message").asString(""));
        return value;
    }

    void open(String url) throws IOException, InterruptedException {
        send("POST", session + "/url", object().put("url", url));
    }

    /** Where it is now. */
    String url() throws IOException, InterruptedException {
        return send("GET", session + "/url", object()).asString();
    }

    /** The size of the window, in pixels. */
    void resize(int width, int height) throws IOException, InterruptedException {
        send("POST", session + "/window/rect", object().put("width", width).put("height", height));
    }

    /** What a function's body returns. */
    JsonNode run(String script) throws IOException, InterruptedException {
        ObjectNode body = object().put("script", script);
        body.putArray("args");
        return send("POST", session + "/execute/sync", body);
    }

    /** Waits until the script returns something true, and gives it. */
    JsonNode await(String script) throws IOException, InterruptedException {
        long deadline = System.nanoTime() + PATIENCE.toNanos();
        JsonNode last = run(script);
        while (last.isNull() || last.isBoolean() && !last.booleanValue() || last.isString() && last.asString().isEmpty()) {
            if (System.nanoTime() > deadline) {
                throw new AssertionError("does not become true: " + script + "; the page says:\n"
                        + run("return document.body.innerText").asString() + "\n" + log());
            }
            Thread.sleep(50);
            last = run(script);
        }
        return last;
    }

    /** The text that a person sees at a CSS selector. */
    String text(String selector) throws IOException, InterruptedException {
        ObjectNode body = object().put("using", "css selector").put("value", selector);
        String element = send("POST", session + "/element", body).path(ELEMENT).asString();
        return send("GET", session + "/element/" + element + "/text", object()).asString();
    }

    /** Clicks as a mouse does: fails where something else lies above. */
    void click(String selector) throws IOException, InterruptedException {
        ObjectNode body = object().put("using", "css selector").put("value", selector);
        String element = send("POST", session + "/element", body).path(ELEMENT).asString();
        send("POST", session + "/element/" + element + "/click", object());
    }

    /** Presses keys, wherever the focus is; {@code \uE007} is Enter, {@code \uE00C} Escape. */
    void type(String keys) throws IOException, InterruptedException {
        ObjectNode body = object();
        ObjectNode keyboard = body.putArray("actions").addObject().put("type", "key").put("id", "keyboard");
        var actions = keyboard.putArray("actions");
        keys.codePoints().mapToObj(Character::toString).forEach(key -> {
            actions.addObject().put("type", "keyDown").put("value", key);
            actions.addObject().put("type", "keyUp").put("value", key);
        });
        send("POST", session + "/actions", body);
    }

    /**
     * What the browser complained of since the last time, refused content included; but not that it gave up a request because
     * the machine got an interface, as pods have, or lost one.
     */
    List<String> log() throws IOException, InterruptedException {
        List<String> lines = new ArrayList<>();
        send("POST", session + "/se/log", object().put("type", "browser"))
                .forEach(entry -> lines.add(entry.path("level").asString() + " " + entry.path("message").asString()));
        lines.removeIf(line -> line.contains("net::ERR_NETWORK_CHANGED"));
        return lines;
    }

    /** Writes what is seen as a PNG. */
    void picture(Path file) throws IOException, InterruptedException {
        Files.createDirectories(file.getParent());
        Files.write(file, Base64.getDecoder().decode(send("GET", session + "/screenshot", object()).asString()));
    }

    @Override
    public void close() throws IOException, InterruptedException {
        try {
            send("DELETE", session, object());
        } finally {
            driver.destroy();
            driver.waitFor(10, TimeUnit.SECONDS);
            http.close();
        }
    }
}
