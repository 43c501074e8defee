package io.berth.server.console;

import com.sun.net.httpserver.HttpServer;
import io.berth.base.RuntimeFault;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Serves the console. Answers GET alone, to those alone who show the token, and changes nothing. Without {@code [console]} in
 * the configuration nothing of this package but this class is loaded. Thread-safe; closing it ends serving and every
 * open page's feed.
 */
public final class Console implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(Console.class);
    private static final int BACKLOG = 64;

    private final HttpServer server;
    private final ExecutorService threads;
    private final RecentEvents events;
    private final Feeds feeds;
    private final String host;

    private Console(HttpServer server, ExecutorService threads, RecentEvents events, Feeds feeds, String host) {
        this.server = server;
        this.threads = threads;
        this.events = events;
        this.feeds = feeds;
        this.host = host;
    }

    /**
     * Listens, and writes the address with the token to {@code console.url} in the state directory.
     *
     * @param address on loopback; port 0 takes a free one
     * @throws RuntimeFault FAILED_PRECONDITION when the address is taken
     */
    public static Console start(InetSocketAddress address, ConsoleSources sources) {
        LoginFile login = LoginFile.in(sources.node().directories().state());
        HttpServer server = bind(address);
        RecentEvents events = new RecentEvents(sources.node().events());
        Feeds feeds = new Feeds(sources, events);
        ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
        server.setExecutor(threads);
        server.createContext("/", new ConsoleEdge(login, new PodStory(sources.node()),
                new LogTail(sources.node()), feeds));
        events.start();
        server.start();
        String host = address.getAddress() instanceof java.net.Inet6Address ? "[::1]" : address.getAddress().getHostAddress();
        Console console = new Console(server, threads, events, feeds, host);
        login.write(host, console.port());
        LOG.atInfo().addKeyValue("address", host + ":" + console.port()).log("console started, berth console tells its address");
        return console;
    }

    private static HttpServer bind(InetSocketAddress address) {
        if (!address.getAddress().isLoopbackAddress()) {
            throw RuntimeFault.invalid("serve the console at " + address + ": only a loopback address is possible");
        }
        try {
            return HttpServer.create(address, BACKLOG);
        } catch (IOException e) {
            throw RuntimeFault.precondition("serve the console at " + address.getAddress().getHostAddress() + ":"
                    + address.getPort() + ": " + RuntimeFault.reason(e) + ": set console.address to another one");
        }
    }

    /** Where it listens. */
    public int port() {
        return server.getAddress().getPort();
    }

    @Override
    public void close() {
        feeds.close();
        events.close();
        server.stop(0);
        threads.shutdownNow();
    }
}
