package io.berth.image;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.net.httpserver.HttpsConfigurator;
import com.sun.net.httpserver.HttpsParameters;
import com.sun.net.httpserver.HttpsServer;
import io.berth.base.RuntimeFault;
import io.berth.base.RuntimeFault.Kind;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.time.Duration;
import java.util.Base64;
import java.util.Optional;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A registry by HTTPS whose certificate nobody knows: ca, client and skip_verify of hosts.toml. */
class RegistryTlsTest {

    private static final char[] PASSWORD = "password".toCharArray();

    @TempDir
    Path root;

    private HttpsServer server;
    private KeyStore keys;
    private boolean wantClient;

    @BeforeEach
    void start() throws Exception {
        Path store = root.resolve("keys.p12");
        Process keytool = new ProcessBuilder(Path.of(System.getProperty("java.home"), "bin", "keytool").toString(),
                "-genkeypair", "-alias", "a", "-keyalg", "EC", "-storetype", "PKCS12", "-keystore", store.toString(),
                "-storepass", new String(PASSWORD), "-dname", "CN=test", "-ext", "san=ip:127.0.0.1").redirectErrorStream(true).start();
        keytool.getInputStream().readAllBytes();
        assertEquals(0, keytool.waitFor());
        keys = KeyStore.getInstance("PKCS12");
        try (InputStream in = Files.newInputStream(store)) {
            keys.load(in, PASSWORD);
        }
        pem("cert.pem", "CERTIFICATE", keys.getCertificate("a").getEncoded());
        pem("key.pem", "PRIVATE KEY", keys.getKey("a", PASSWORD).getEncoded());
        KeyManagerFactory managers = KeyManagerFactory.getInstance("PKIX");
        managers.init(keys, PASSWORD);
        TrustManagerFactory trust = TrustManagerFactory.getInstance("PKIX");
        trust.init(keys);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(managers.getKeyManagers(), trust.getTrustManagers(), null);
        server = HttpsServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.setHttpsConfigurator(new HttpsConfigurator(context) {
            @Override
            public void configure(HttpsParameters parameters) {
                var wanted = context.getDefaultSSLParameters();
                wanted.setNeedClientAuth(wantClient);
                parameters.setSSLParameters(wanted);
            }
        });
        server.createContext("/", exchange -> {
            exchange.sendResponseHeaders(404, -1);
            exchange.close();
        });
        server.start();
    }

    private void pem(String name, String type, byte[] der) throws Exception {
        Files.writeString(root.resolve(name), "-----BEGIN " + type + "-----\n"
                + Base64.getMimeEncoder(64, "\n".getBytes()).encodeToString(der) + "\n-----END " + type + "-----\n");
    }

    @AfterEach
    void stop() {
        server.stop(0);
    }

    private RuntimeFault pull(String settings) throws Exception {
        String host = "127.0.0.1:" + server.getAddress().getPort();
        Path folder = Files.createDirectories(root.resolve("certs").resolve(host));
        Files.writeString(folder.resolve("hosts.toml"), "server = \"https://" + host + "\"\n" + settings);
        PullOptions options = PullOptions.defaults().withCertsDirectory(root.resolve("certs"))
                .withBackoff(1, Duration.ofMillis(1), Duration.ofMillis(1));
        Images images = new Images(root, Unpackers.only(new FakeUnpacker()), name -> false);
        return assertThrows(RuntimeFault.class, () -> new PullImage(images, options)
                .pull(ImageReference.parse(host + "/a/b"), Optional.empty(), PullListener.NONE));
    }

    @Test
    void aCertificateIsTrustedOnlyWhereTheFileSaysSo() throws Exception {
        RuntimeFault unknown = pull("");
        assertEquals(Kind.UNAVAILABLE, unknown.kind());
        assertTrue(unknown.getMessage().contains("TLS with") && unknown.getMessage().contains("hosts.toml"), unknown.getMessage());
        assertEquals(Kind.NOT_FOUND, pull("skip_verify = true").kind());
        assertEquals(Kind.NOT_FOUND, pull("ca = \"../../cert.pem\"").kind());
        RuntimeFault absent = pull("ca = \"absent.pem\"");
        assertEquals(Kind.INVALID_ARGUMENT, absent.kind());
        assertTrue(absent.getMessage().contains("absent.pem"), absent.getMessage());
    }

    @Test
    void aClientCertificateIsShown() throws Exception {
        wantClient = true;
        assertEquals(Kind.UNAVAILABLE, pull("ca = \"../../cert.pem\"").kind());
        assertEquals(Kind.NOT_FOUND,
                pull("ca = \"../../cert.pem\"\nclient = [[\"../../cert.pem\", \"../../key.pem\"]]").kind());
    }
}
