package io.berth.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.berth.cli.scratch.PodClient;
import io.berth.cri.v1.ExecRequest;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.util.List;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManagerFactory;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Streams over TLS, as the configuration asks for them. */
@Timeout(120)
class StreamingTlsIT {

    private static final Path DIRECTORY = withCertificate();

    @RegisterExtension
    private final TestDaemon daemon = TestDaemon.with("""
            [streaming]
            enable_tls_streaming = true
            [streaming.x509_key_pair_streaming]
            tls_cert_file = "%1$s/cert.pem"
            tls_key_file = "%1$s/key.pem"
            """.formatted(DIRECTORY));

    private static Path withCertificate() {
        try {
            Path directory = Files.createTempDirectory("berth-tls");
            Process openssl = new ProcessBuilder("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
                    "-subj", "/CN=berth test", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", directory + "/key.pem",
                    "-out", directory + "/cert.pem").redirectErrorStream(true).start();
            String printed = new String(openssl.getInputStream().readAllBytes());
            assertEquals(0, openssl.waitFor(), printed);
            return directory;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    @AfterAll
    static void removeCertificate() throws IOException {
        for (String name : List.of("key.pem", "cert.pem", "")) {
            Files.delete(DIRECTORY.resolve(name));
        }
    }

    @Test
    void theUrlIsHttpsAndTheServerShowsTheConfiguredCertificate() throws Exception {
        TestImages.busybox(daemon);
        var pod = daemon.pods().run(PodClient.config("pod", daemon.node().logs()));
        String container = daemon.pods().run(pod, PodClient.container("c", "sleep", "1000"));
        URI url = URI.create(daemon.connection().runtime().exec(ExecRequest.newBuilder().setContainerId(container)
                .addCmd("true").setStdout(true).build()).getUrl());
        assertEquals("https", url.getScheme());

        X509Certificate own;
        try (var in = Files.newInputStream(DIRECTORY.resolve("cert.pem"))) {
            own = (X509Certificate) CertificateFactory.getInstance("X.509").generateCertificate(in);
        }
        try (SSLSocket socket = (SSLSocket) trusting(own).getSocketFactory().createSocket(url.getHost(), url.getPort())) {
            socket.setSoTimeout((int) TimeUnit.SECONDS.toMillis(20));
            socket.startHandshake();
            assertEquals(own, socket.getSession().getPeerCertificates()[0]);
            // Without an upgrade the request is refused, but it was understood.
            socket.getOutputStream().write(("GET " + url.getPath() + " HTTP/1.1\r\nHost: x\r\n\r\n").getBytes());
            String status = new String(socket.getInputStream().readNBytes(12));
            assertTrue(status.startsWith("HTTP/1.1 4"), status);
        }
        daemon.pods().stop(pod);
        daemon.pods().remove(pod);
        daemon.assertNothingLeft();
    }

    private static SSLContext trusting(X509Certificate certificate) throws Exception {
        KeyStore store = KeyStore.getInstance("PKCS12");
        store.load(null, null);
        store.setCertificateEntry("berth", certificate);
        TrustManagerFactory trust = TrustManagerFactory.getInstance("PKIX");
        trust.init(store);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(null, trust.getTrustManagers(), null);
        return context;
    }
}
