package io.berth.image;

import io.berth.base.RuntimeFault;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Collection;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.net.ssl.KeyManager;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.TrustManager;
import javax.net.ssl.TrustManagerFactory;
import javax.net.ssl.X509ExtendedTrustManager;
import javax.net.ssl.X509TrustManager;

/** Makes the TLS context that a host's configuration asks for, from PEM files. */
final class TlsContexts {

    private static final Pattern KEY = Pattern.compile(
            "-----BEGIN ((?:RSA |EC )?PRIVATE KEY)-----([A-Za-z0-9+/=\\s]+)-----END \\1-----");

    private TlsContexts() {}

    static SSLContext make(Endpoint.Tls tls) {
        try {
            SSLContext context = SSLContext.getInstance("TLS");
            TrustManager[] trust = tls.skipVerify() ? new TrustManager[] {new TrustsAnyone()}
                    : tls.authorities().isEmpty() ? null : new TrustManager[] {trusting(tls.authorities())};
            context.init(tls.clients().isEmpty() ? null : keys(tls.clients()), trust, null);
            return context;
        } catch (GeneralSecurityException | IOException e) {
            throw RuntimeFault.internal("set up TLS: " + RuntimeFault.reason(e), e);
        }
    }

    private static TrustManager trusting(List<Path> files) throws GeneralSecurityException, IOException {
        KeyStore store = KeyStore.getInstance("PKCS12");
        store.load(null, null);
        for (X509Certificate known : systemAuthorities()) {
            store.setCertificateEntry("system-" + store.size(), known);
        }
        for (Path file : files) {
            for (Certificate certificate : certificates(file)) {
                store.setCertificateEntry("configured-" + store.size(), certificate);
            }
        }
        TrustManagerFactory factory = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        factory.init(store);
        return factory.getTrustManagers()[0];
    }

    private static List<X509Certificate> systemAuthorities() throws GeneralSecurityException {
        TrustManagerFactory factory = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        factory.init((KeyStore) null);
        List<X509Certificate> all = new ArrayList<>();
        for (TrustManager manager : factory.getTrustManagers()) {
            if (manager instanceof X509TrustManager x509) {
                all.addAll(List.of(x509.getAcceptedIssuers()));
            }
        }
        return all;
    }

    private static KeyManager[] keys(List<Endpoint.ClientPair> pairs) throws GeneralSecurityException, IOException {
        KeyStore store = KeyStore.getInstance("PKCS12");
        store.load(null, null);
        char[] password = "in-memory".toCharArray();
        for (Endpoint.ClientPair pair : pairs) {
            Certificate[] chain = certificates(pair.certificate()).toArray(Certificate[]::new);
            String algorithm = chain[0].getPublicKey().getAlgorithm();
            store.setKeyEntry("client-" + store.size(), privateKey(pair.key(), algorithm), password, chain);
        }
        KeyManagerFactory factory = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
        factory.init(store, password);
        return factory.getKeyManagers();
    }

    private static Collection<? extends Certificate> certificates(Path file) throws IOException {
        byte[] bytes = read(file);
        try {
            var found = CertificateFactory.getInstance("X.509").generateCertificates(new ByteArrayInputStream(bytes));
            if (!found.isEmpty()) {
                return found;
            }
            throw RuntimeFault.invalid("read certificate " + file + ": there is none in the file");
        } catch (GeneralSecurityException e) {
            throw RuntimeFault.invalid("read certificate " + file + ": " + RuntimeFault.reason(e));
        }
    }

    private static PrivateKey privateKey(Path file, String algorithm) throws IOException {
        Matcher matcher = KEY.matcher(new String(read(file), StandardCharsets.ISO_8859_1));
        if (!matcher.find()) {
            throw RuntimeFault.invalid("read private key " + file + ": there is none, or it is encrypted");
        }
        if (!matcher.group(1).equals("PRIVATE KEY")) {
            throw RuntimeFault.invalid("read private key " + file + ": it is in the old form \"" + matcher.group(1)
                    + "\": convert it with openssl pkcs8 -topk8 -nocrypt");
        }
        byte[] der = Base64.getMimeDecoder().decode(matcher.group(2));
        try {
            return KeyFactory.getInstance(algorithm).generatePrivate(new PKCS8EncodedKeySpec(der));
        } catch (GeneralSecurityException e) {
            throw RuntimeFault.invalid("read private key " + file + ": not a key of type " + algorithm);
        }
    }

    private static byte[] read(Path file) throws IOException {
        if (!Files.isReadable(file)) {
            throw RuntimeFault.invalid("read " + file + ": no such file, though hosts.toml names it");
        }
        return Files.readAllBytes(file);
    }

    /** For {@code skip_verify}: an extended manager does the host name check as well, so none is made. */
    private static final class TrustsAnyone extends X509ExtendedTrustManager {
        @Override
        public void checkClientTrusted(X509Certificate[] chain, String type, Socket socket) {}

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String type, Socket socket) {}

        @Override
        public void checkClientTrusted(X509Certificate[] chain, String type, SSLEngine engine) {}

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String type, SSLEngine engine) {}

        @Override
        public void checkClientTrusted(X509Certificate[] chain, String type) {}

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String type) {}

        @Override
        public X509Certificate[] getAcceptedIssuers() {
            return new X509Certificate[0];
        }
    }
}
