package io.berth.image;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Proxy;
import java.net.ProxySelector;
import java.net.SocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Executors;
import java.util.stream.Stream;

/**
 * One HTTP client for each way of doing TLS, kept for its open connections. A certificate file that has changed makes a
 * new one. Thread-safe. Proxies are those of the environment ({@code HTTPS_PROXY}, {@code HTTP_PROXY},
 * {@code NO_PROXY}).
 */
final class HttpClients {

    private static final int KEPT = 16;

    private record Key(Endpoint.Tls tls, Duration connectLimit, List<Long> stamps) {}

    private final Map<Key, HttpClient> clients = new LinkedHashMap<>(8, 0.75f, true);
    private final ProxySelector proxies = new EnvironmentProxies(System.getenv());

    synchronized HttpClient client(Endpoint.Tls tls, Duration connectLimit) {
        Key key = new Key(tls, connectLimit, stamps(tls));
        HttpClient known = clients.get(key);
        if (known != null) {
            return known;
        }
        if (clients.size() >= KEPT) {
            // Running requests keep their client alive; it ends when the last is done.
            clients.remove(clients.keySet().iterator().next());
        }
        HttpClient.Builder builder = HttpClient.newBuilder()
                .followRedirects(HttpClient.Redirect.NEVER).connectTimeout(connectLimit).proxy(proxies)
                .executor(Executors.newVirtualThreadPerTaskExecutor());
        if (!tls.equals(Endpoint.Tls.DEFAULT)) {
            builder.sslContext(TlsContexts.make(tls));
        }
        HttpClient made = builder.build();
        clients.put(key, made);
        return made;
    }

    private static List<Long> stamps(Endpoint.Tls tls) {
        List<Long> stamps = new ArrayList<>();
        Stream<Path> files = Stream.concat(tls.authorities().stream(),
                tls.clients().stream().flatMap(pair -> Stream.of(pair.certificate(), pair.key())));
        files.forEach(file -> {
            try {
                stamps.add(Files.getLastModifiedTime(file).toMillis() * 31 + Files.size(file));
            } catch (IOException e) {
                stamps.add(-1L);
            }
        });
        return stamps;
    }

    /** Which proxy to use, by the variables that curl and Go know. */
    static final class EnvironmentProxies extends ProxySelector {
        private final Map<String, String> environment;

        EnvironmentProxies(Map<String, String> environment) {
            this.environment = environment;
        }

        @Override
        public List<Proxy> select(URI uri) {
            String host = uri.getHost();
            String proxy = variable(uri.getScheme() + "_proxy");
            if (proxy.isEmpty() || RegistryHosts.isLoopback(host) || excluded(host, uri.getPort())) {
                return List.of(Proxy.NO_PROXY);
            }
            URI address = URI.create(proxy.contains("://") ? proxy : "http://" + proxy);
            int port = address.getPort() > 0 ? address.getPort() : 80;
            return List.of(new Proxy(Proxy.Type.HTTP, InetSocketAddress.createUnresolved(address.getHost(), port)));
        }

        private boolean excluded(String host, int port) {
            for (String entry : variable("no_proxy").split("[,\\s]+")) {
                String name = entry.startsWith(".") ? entry.substring(1) : entry;
                if (entry.equals("*") || !name.isEmpty() && (host.equals(name) || host.endsWith("." + name)
                        || (host + ":" + port).equals(name))) {
                    return true;
                }
            }
            return false;
        }

        private String variable(String name) {
            String lower = environment.get(name);
            String value = lower != null ? lower : environment.get(name.toUpperCase(Locale.ROOT));
            return value == null ? "" : value.strip();
        }

        @Override
        public void connectFailed(URI uri, SocketAddress address, IOException failure) {
            // The request itself reports it.
        }
    }
}
