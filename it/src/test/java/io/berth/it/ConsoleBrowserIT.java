package io.berth.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.berth.cli.scratch.PodClient;
import io.berth.cri.v1.ImageServiceGrpc;
import io.berth.cri.v1.ImageSpec;
import io.berth.cri.v1.PodSandboxConfig;
import io.berth.cri.v1.PullImageRequest;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/** The console's page in a real Chromium, on a real daemon. Pictures go to {@code target/console-pictures}. */
@Timeout(180)
class ConsoleBrowserIT {

    private static final Path PICTURES = Path.of("target/console-pictures");
    private static final String HOSTILE = "<img src=x onerror=\"window.hacked=1\">";

    @RegisterExtension
    private final TestDaemon daemon = TestDaemon.with("[console]\nenable = true\naddress = \"127.0.0.1:0\"\n");

    @TempDir
    private Path directory;

    private final List<PodClient.Pod> running = new ArrayList<>();

    private String login() throws IOException {
        return Files.readString(daemon.node().state().resolve("console.url")).strip();
    }

    private PodClient.Pod pod(String name, String namespace) {
        PodSandboxConfig config = PodClient.config("pod" + running.size(), daemon.node().logs());
        PodClient.Pod pod = daemon.pods().run(config.toBuilder().setMetadata(config.getMetadata().toBuilder().setName(name)
                .setNamespace(namespace)).putLabels("app", name).build());
        running.add(pod);
        return pod;
    }

    private void endPods() {
        running.forEach(pod -> {
            daemon.pods().stop(pod);
            daemon.pods().remove(pod);
        });
    }

    private static String row(String name) {
        return "[...document.querySelectorAll('#pods tr')].find(row => row.querySelector('.name').textContent === '" + name
                + "')";
    }

    @Test
    void aPodAppearsWithItsTimelineAndGoes() throws Exception {
        TestImages.busybox(daemon);
        try (Browser browser = Browser.start(directory)) {
            browser.open(login());
            browser.await("return document.body.dataset.line === 'live'");
            assertEquals("No pods on this node yet.", browser.text("#pods-empty"));
            assertFalse(browser.url().contains("#"), "the token stays in the address");
            PodClient.Pod web = pod("web-7d4b9c", "shop");
            String httpd = daemon.pods().run(web, PodClient.container("httpd", "httpd", "-f", "-p", "80", "-h", "/www"));
            browser.await("return " + row("web-7d4b9c") + "?.innerText.includes('httpd')");
            browser.await("return " + row("web-7d4b9c") + ".innerText.match(/[0-9.]+ (kB|MB)/)");
            browser.run(row("web-7d4b9c") + ".querySelector('.name').id = 'mine'");
            browser.click("#mine");
            browser.await("return document.querySelectorAll('.waterfall .track .span').length > 10");
            String story = browser.text("#story");
            for (String words : List.of("RunPodSandbox", "network", "CreateContainer", "runtime create", "StartContainer",
                    "httpd", "root filesystem")) {
                assertTrue(story.contains(words), () -> words + " is not in " + story);
            }
            String focus = browser.run("return document.activeElement.id").asString();
            assertEquals("story-heading", focus);
            assertEquals("#/pod/" + web.id(), URI.create(browser.url()).getRawFragment() == null ? "" : "#"
                    + URI.create(browser.url()).getRawFragment());
            browser.type("\uE00C");
            browser.await("return document.getElementById('story').hidden && document.activeElement.id === 'mine'");
            daemon.pods().stop(web);
            browser.await("return " + row("web-7d4b9c") + "?.innerText.includes('stopped')");
            assertTrue(browser.await("return document.getElementById('events').innerText").asString().contains("httpd"));
            daemon.pods().remove(web);
            browser.await("return document.getElementById('pods-empty').innerText.includes('No pods')");
            assertFalse(httpd.isEmpty());
            assertEquals(List.of(), browser.log(), "the browser complains");
        }
        daemon.assertNothingLeft();
    }

    @Test
    void whatStrangersWroteStaysText() throws Exception {
        TestImages.busybox(daemon);
        try (Browser browser = Browser.start(directory)) {
            browser.open(login());
            browser.await("return document.body.dataset.line === 'live'");
            PodClient.Pod hostile = pod(HOSTILE, "<b>\u202Eeman");
            String container = daemon.pods().run(hostile, PodClient.container("<script>window.hacked=1", "sh", "-c",
                    "exit 3 # <img src=x onerror=window.hacked=1>"));
            daemon.pods().awaitExit(container, Duration.ofSeconds(20));
            browser.await("return " + row(HOSTILE) + "?.innerText.includes('exited 3')");
            browser.run(row(HOSTILE) + ".querySelector('.name').id = 'mine'");
            browser.click("#mine");
            browser.await("return document.querySelector('#story .container')?.innerText.includes('onerror=window.hacked=1')");
            assertTrue(browser.text("#events").contains(HOSTILE), browser.text("#events"));
            assertTrue(browser.text("#story").contains("app=" + HOSTILE), browser.text("#story"));
            assertTrue(browser.run("return typeof window.hacked === 'undefined'").booleanValue(), "a name was run");
            assertEquals(1, browser.run("return document.querySelectorAll('img').length").asInt(), "a name became an image");
            assertFalse(browser.run("return document.body.innerText").asString().contains("\u202E"), "a name turns the writing");
            // Even a defect in the page could not make markup of text.
            assertEquals("TypeError", browser.run("try { document.body.innerHTML = '<i>x</i>'; return 'done' } catch (e) {"
                    + " return e.name }").asString());
        }
        endPods();
        daemon.assertNothingLeft();
    }

    @Test
    void aContainersLogIsReadWhileItGrows() throws Exception {
        TestImages.busybox(daemon);
        try (Browser browser = Browser.start(directory)) {
            browser.open(login());
            browser.await("return document.body.dataset.line === 'live'");
            daemon.pods().run(pod("talker-0", "shop"), PodClient.container("main", "sh", "-c",
                    "echo begin '" + HOSTILE + "'; echo a warning >&2; i=0;"
                            + " while true; do i=$((i+1)); echo line $i; sleep 1; done"));
            browser.await("return " + row("talker-0") + "?.innerText.includes('main')");
            browser.run(row("talker-0") + ".querySelector('.name').click()");
            browser.await("return document.querySelector('.log-button') !== null");
            browser.run("document.querySelector('.log-button').click()");
            browser.await("return document.querySelector('.log')?.innerText.includes('line 1')");
            browser.await("return document.querySelector('.log')?.innerText.includes('line 6')");
            assertTrue(browser.text(".log").contains(HOSTILE), browser.text(".log"));
            assertEquals("a warning", browser.text(".log .stderr span"));
            browser.run("document.documentElement.dataset.theme = 'dark'");
            browser.resize(1500, 1000);
            browser.run("document.querySelector('.log').scrollIntoView()");
            browser.picture(PICTURES.resolve("log-dark.png"));
            browser.run("document.querySelector('.log-button').click()");
            browser.await("return document.querySelector('.log').hidden");
            assertEquals(List.of(), browser.log(), "the browser complains");
        }
        endPods();
        daemon.assertNothingLeft();
    }

    @Test
    void withoutOrWithAnotherTokenOneIsAskedForIt() throws Exception {
        try (Browser browser = Browser.start(directory)) {
            browser.open(login().replaceFirst("#.*", ""));
            browser.await("return !document.getElementById('login').hidden");
            browser.type("x".repeat(43) + "\uE007");
            browser.await("return document.getElementById('login-problem').innerText.includes('not, or no longer')");
            browser.picture(PICTURES.resolve("login.png"));
            browser.type(login() + "\uE007");
            browser.await("return document.body.dataset.line === 'live' && !document.getElementById('main').hidden");
            // The page outlives the daemon: it says so, and goes on.
            daemon.stop();
            browser.await("return document.body.dataset.line === 'waiting'");
        } finally {
            daemon.start();
        }
    }

    @Test
    void aBusyNodeIsAPicture() throws Exception {
        TestImages.busybox(daemon);
        try (Browser browser = Browser.start(directory); HalfRegistry registry = HalfRegistry.start()) {
            browser.open(login());
            busyNode();
            Thread pull = pullInBackground(registry.image());
            browser.await("return document.querySelector('#pulls [role=progressbar]')?.getAttribute('aria-valuenow') === '50'");
            browser.await("return document.querySelectorAll('#findings li').length > 3");
            browser.await("return document.querySelector('.pods .plot .line[d]') !== null"
                    + " && document.querySelector('.tile .line').getAttribute('d')?.split('L').length > 12");
            for (String theme : List.of("dark", "light")) {
                browser.run("document.documentElement.dataset.theme = '" + theme + "'");
                browser.resize(1500, 1000);
                browser.picture(PICTURES.resolve("pods-" + theme + ".png"));
                browser.run(row("web-7d4b9c") + ".querySelector('.name').click()");
                browser.await("return document.querySelectorAll('.waterfall .track .span').length > 10");
                browser.picture(PICTURES.resolve("story-" + theme + ".png"));
                browser.resize(700, 1100);
                browser.picture(PICTURES.resolve("narrow-" + theme + ".png"));
                browser.type("\uE00C");
            }
            pull.interrupt();
            pull.join();
        }
        endPods();
        daemon.assertNothingLeft();
    }

    private void busyNode() {
        PodClient pods = daemon.pods();
        PodClient.Pod web = pod("web-7d4b9c", "shop");
        pods.run(web, PodClient.container("httpd", "httpd", "-f", "-p", "80", "-h", "/www"));
        pods.run(web, PodClient.container("proxy", "sh", "-c",
                "while true; do wget -q -O /dev/null http://127.0.0.1/; usleep 20000; done"));
        for (String name : List.of("checkout-5f6d8", "search-84c2f", "images-0")) {
            pods.run(pod(name, "shop"), PodClient.container(name.replaceFirst("-.*", ""), "sh", "-c",
                    "while true; do i=0; while [ $i -lt 500 ]; do i=$((i+1)); done; usleep 40000; done"));
        }
        pods.run(pod("dns-x8k2q", "kube-system"), PodClient.container("dns", "sleep", "1000"));
        pods.run(pod("metrics-lt4wp", "kube-system"), PodClient.container("metrics", "sleep", "1000"));
        PodClient.Pod broken = pod("billing-6c9d7", "shop");
        pods.awaitExit(pods.run(broken, PodClient.container("migrate", "sh", "-c", "echo no database; exit 3")),
                Duration.ofSeconds(20));
        PodClient.Pod job = pod("backup-28911", "shop");
        pods.awaitExit(pods.run(job, PodClient.container("dump", "true")), Duration.ofSeconds(20));
        pods.stop(job);
    }

    private Thread pullInBackground(String image) {
        return Thread.ofVirtual().start(() -> {
            try {
                ImageServiceGrpc.ImageServiceBlockingStub images = daemon.connection().images();
                images.pullImage(PullImageRequest.newBuilder().setImage(ImageSpec.newBuilder().setImage(image)).build());
            } catch (RuntimeException thePictureIsTaken) {
                return;
            }
        });
    }
}
