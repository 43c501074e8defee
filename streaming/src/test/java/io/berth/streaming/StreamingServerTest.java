package io.berth.streaming;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.berth.base.RuntimeFault;
import io.berth.streaming.client.ChannelClient;
import io.berth.streaming.client.SpdyClient;
import java.net.Socket;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.Base64;
import java.util.List;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class StreamingServerTest extends StreamingFixture {

    private static int status(URI url) throws Exception {
        try (SpdyClient client = new SpdyClient(url, "v4.channel.k8s.io")) {
            return Integer.parseInt(client.response.getFirst().split(" ")[1]);
        }
    }

    private String answer(String request) throws Exception {
        try (Socket socket = new Socket("127.0.0.1", server.address().getPort())) {
            socket.getOutputStream().write(request.getBytes(US_ASCII));
            return new String(socket.getInputStream().readAllBytes(), US_ASCII);
        }
    }

    @Test
    void aUrlNamesTheKindAndIsGoodOnce() throws Exception {
        URI url = server.exec(exec("cat"));
        assertTrue(url.toString().matches("http://127\\.0\\.0\\.1:[0-9]+/exec/[0-9a-f]{32}"), url.toString());
        assertEquals(101, status(url));
        assertEquals(404, status(url));
    }

    @Test
    void aUrlOfAnotherKindIsNotFoundAndUsedUp() throws Exception {
        URI url = server.exec(exec("cat"));
        assertEquals(404, status(URI.create(url.toString().replace("/exec/", "/attach/"))));
        assertEquals(404, status(url));
    }

    @Test
    void aUrlExpires() throws Exception {
        settings(StreamingSettings.defaults().withTimeouts(Duration.ofHours(1), Duration.ofSeconds(30), Duration.ofMillis(50)));
        URI url = server.exec(exec("cat"));
        Thread.sleep(100);
        assertEquals(404, status(url));
    }

    @Test
    void thereIsALimitOfUrls() {
        settings(StreamingSettings.defaults().withMaxTokens(2));
        server.exec(exec("cat"));
        server.exec(exec("cat"));
        RuntimeFault full = assertThrows(RuntimeFault.class, () -> server.exec(exec("cat")));
        assertEquals(RuntimeFault.Kind.RESOURCE_EXHAUSTED, full.kind());
    }

    @Test
    void aBaseUrlIsPutInFrontAndItsPathServed() throws Exception {
        settings(StreamingSettings.defaults().withBaseUrl(URI.create("https://node.example/streams")));
        URI url = server.exec(exec("cat"));
        assertTrue(url.toString().startsWith("https://node.example/streams/exec/"), url.toString());
        assertEquals(101, status(URI.create("http://127.0.0.1:" + server.address().getPort() + url.getPath())));
    }

    @Test
    void requestsThatAreNoUpgradeAreRefused() throws Exception {
        String path = server.exec(exec("cat")).getPath();
        assertTrue(answer("GET " + path + " HTTP/1.1\r\nHost: x\r\n\r\n").startsWith("HTTP/1.1 400 "));
        assertTrue(answer("PUT /exec/x HTTP/1.1\r\nHost: x\r\n\r\n").startsWith("HTTP/1.1 405 "));
        assertTrue(answer("GET / HTTP/1.1\r\nHost: x\r\n\r\n").startsWith("HTTP/1.1 404 "));
        assertTrue(answer("\u0001\u0002garbage\r\n\r\n").startsWith("HTTP/1.1 400 "));
        assertTrue(answer("POST /exec/x HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc").startsWith("HTTP/1.1 400 "));
        assertTrue(answer("GET /" + "a".repeat(9000) + " HTTP/1.1\r\nHost: x\r\n\r\n").startsWith("HTTP/1.1 400 "));
    }

    @Test
    void whoSendsNoRequestIsDisconnected() throws Exception {
        settings(StreamingSettings.defaults().withTimeouts(Duration.ofHours(1), Duration.ofMillis(200), Duration.ofMinutes(1)));
        assertEquals("", answer("GET / HT"));
    }

    @Test
    void invalidRequestsAreRefusedBeforeAUrlIsMade() {
        assertThrows(RuntimeFault.class, () -> new ExecRequest("", List.of("x"), false, true, true, true));
        assertThrows(RuntimeFault.class, () -> new ExecRequest("c", List.of(), false, true, true, true));
        assertThrows(RuntimeFault.class, () -> new ExecRequest("c", List.of("x"), true, true, true, true));
        assertThrows(RuntimeFault.class, () -> new AttachRequest("c", false, false, false, false));
        assertThrows(RuntimeFault.class, () -> new PortForwardRequest("p", List.of(0)));
        assertThrows(RuntimeFault.class, () -> new PortForwardRequest("", List.of()));
    }

    @Test
    void aClosedServerIssuesNoUrls() {
        server.close();
        assertThrows(RuntimeFault.class, () -> server.exec(exec("cat")));
    }

    @Test
    void anAddressThatCannotBeHadIsAFault() {
        server.start();
        StreamingSettings taken = new StreamingSettings("127.0.0.1", server.address().getPort(), java.util.Optional.empty(),
                java.util.Optional.empty(), Duration.ofHours(1), Duration.ofSeconds(1), Duration.ofSeconds(1), 1);
        try (StreamingServer second = new StreamingServer(taken, target, executor)) {
            assertTrue(assertThrows(RuntimeFault.class, second::start).getMessage().startsWith("listen for streams on 127.0.0.1:"));
        }
    }

    @Test
    void streamsRunOverTls(@TempDir Path directory) throws Exception {
        Path store = directory.resolve("store.p12");
        String keytool = Path.of(System.getProperty("java.home"), "bin", "keytool").toString();
        Process made = new ProcessBuilder(keytool, "-genkeypair", "-alias", "a", "-keyalg", "EC", "-dname", "CN=127.0.0.1",
                        "-ext", "SAN=ip:127.0.0.1", "-keystore", store.toString(), "-storepass", "secret", "-storetype", "PKCS12")
                .redirectErrorStream(true)
                .start();
        made.getInputStream().readAllBytes();
        assertEquals(0, made.waitFor());
        KeyStore keys = KeyStore.getInstance(store.toFile(), "secret".toCharArray());
        X509Certificate certificate = (X509Certificate) keys.getCertificate("a");
        Path pem = Files.writeString(directory.resolve("cert.pem"), pem("CERTIFICATE", certificate.getEncoded()));
        Path key = Files.writeString(directory.resolve("key.pem"),
                pem("PRIVATE KEY", keys.getKey("a", "secret".toCharArray()).getEncoded()));
        settings(StreamingSettings.defaults().withTls(new StreamingSettings.Tls(pem, key)));

        URI url = server.exec(exec("both"));
        assertEquals("https", url.getScheme());
        TrustManagerFactory trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        trust.init(keys(certificate));
        SSLContext tls = SSLContext.getInstance("TLS");
        tls.init(null, trust.getTrustManagers(), null);
        try (ChannelClient client = ChannelClient.connect(url, List.of("v5.channel.k8s.io"), tls.getSocketFactory())) {
            StringBuilder all = new StringBuilder();
            for (var m = client.receive(); m.isPresent(); m = client.receive()) {
                all.append(new String(m.get().payload(), US_ASCII));
            }
            assertTrue(all.toString().startsWith("outerr{"), all.toString());
        }
    }

    private static KeyStore keys(X509Certificate certificate) throws Exception {
        KeyStore trusted = KeyStore.getInstance("PKCS12");
        trusted.load(null, null);
        trusted.setCertificateEntry("a", certificate);
        return trusted;
    }

    private static String pem(String kind, byte[] der) {
        return "-----BEGIN " + kind + "-----\n" + Base64.getMimeEncoder().encodeToString(der) + "\n-----END " + kind + "-----\n";
    }
}
