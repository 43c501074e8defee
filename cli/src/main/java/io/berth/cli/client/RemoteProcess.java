package io.berth.cli.client;

import io.berth.base.RuntimeFault;
import io.berth.linux.Terminal;
import io.berth.streaming.client.ChannelClient;
import io.berth.streaming.client.ChannelClient.Message;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.URI;
import java.util.List;
import java.util.Optional;
import javax.net.SocketFactory;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * The client's side of exec and attach: joins this process's own input, output and terminal to a process in a container, by
 * the address that the runtime gave. Source: the channel protocols of Kubernetes (k8s.io/apiserver, wsstream).
 */
public final class RemoteProcess implements AutoCloseable {

    private static final List<String> PROTOCOLS = List.of("v5.channel.k8s.io", "v4.channel.k8s.io");
    private static final long SIZE_LOOK_MILLIS = 250;
    private static final int CHUNK_BYTES = 16 * 1024;
    private static final byte CTRL_P = 0x10;
    private static final byte CTRL_Q = 0x11;

    /** How it ended. */
    public sealed interface End {

        /** The process ended with this code; attach always tells 0 here. */
        record Exited(int code) implements End {}

        /** The person left with Ctrl-P Ctrl-Q; the process goes on. */
        record Detached() implements End {}
    }

    /**
     * Where its streams go.
     *
     * @param stdin empty for none
     */
    public record Streams(Optional<InputStream> stdin, OutputStream stdout, OutputStream stderr) {}

    private final ChannelClient client;
    private volatile boolean detached;
    private volatile boolean ended;

    private RemoteProcess(ChannelClient client) {
        this.client = client;
    }

    /** @throws DaemonFault STREAM_FAILED when the address does not answer as it should */
    public static RemoteProcess connect(String url) {
        try {
            return new RemoteProcess(ChannelClient.connect(URI.create(url), PROTOCOLS, SocketFactory.getDefault()));
        } catch (IOException e) {
            throw failed("connect to the streaming server: " + RuntimeFault.reason(e));
        }
    }

    /** Whether the process can be told that its input has ended: not by runtimes whose streaming server is older than v5. */
    public boolean canEndInput() {
        return client.subprotocol().startsWith("v5");
    }

    /**
     * Waits until a daemon of Berth has joined the container's output, which it tells by a second empty message.
     *
     * @throws DaemonFault STREAM_FAILED when it could not
     */
    public RemoteProcess awaitJoined() {
        try {
            for (int empty = 0; empty < 2;) {
                Message message = client.receive().orElseThrow(() -> failed("attach: the connection ended at once"));
                if (message.channel() == ChannelClient.ERROR && message.payload().length > 0) {
                    exitCode(message.payload());
                    throw failed("attach: it ended at once");
                }
                empty += message.channel() == ChannelClient.STDOUT && message.payload().length == 0 ? 1 : 0;
            }
            return this;
        } catch (IOException e) {
            throw failed("attach: " + RuntimeFault.reason(e));
        }
    }

    /**
     * Moves bytes until the process ends or the person leaves.
     *
     * @param terminal where the process has a terminal: ours, which is in raw mode meanwhile
     */
    public End run(Streams streams, Optional<Terminal> terminal) {
        try (Terminal.Restore restore = terminal.map(Terminal::raw).orElse(() -> { })) {
            Thread giveBack = Thread.ofPlatform().unstarted(restore::close);
            Runtime.getRuntime().addShutdownHook(giveBack);
            terminal.ifPresent(ours -> daemon("terminal size", () -> followSize(ours)));
            streams.stdin().ifPresent(in -> daemon("stdin", () -> sendInput(in, terminal.isPresent())));
            try {
                return receive(streams);
            } finally {
                ended = true;
                Runtime.getRuntime().removeShutdownHook(giveBack);
            }
        } catch (IOException e) {
            if (detached) {
                return new End.Detached();
            }
            throw failed("read from the container: " + RuntimeFault.reason(e));
        }
    }

    private End receive(Streams streams) throws IOException {
        Optional<End> end = Optional.empty();
        Optional<Message> message = client.receive();
        while (message.isPresent()) {
            byte[] payload = message.get().payload();
            switch (message.get().channel()) {
                case ChannelClient.STDOUT -> write(streams.stdout(), payload);
                case ChannelClient.STDERR -> write(streams.stderr(), payload);
                case ChannelClient.ERROR -> end = payload.length == 0 ? end : Optional.of(new End.Exited(exitCode(payload)));
                default -> { }
            }
            message = client.receive();
        }
        if (detached) {
            return new End.Detached();
        }
        return end.orElseThrow(() -> failed("read from the container: the connection ended without a word about the command"));
    }

    private static void write(OutputStream out, byte[] payload) throws IOException {
        out.write(payload);
        out.flush();
    }

    /** The exit code in a Kubernetes Status object. */
    static int exitCode(byte[] status) {
        JsonNode told;
        try {
            told = JsonMapper.shared().readTree(status);
        } catch (JacksonException notJson) {
            throw failed(new String(status, java.nio.charset.StandardCharsets.UTF_8).strip());
        }
        if (told.path("status").asString("").equals("Success")) {
            return 0;
        }
        for (JsonNode cause : told.path("details").path("causes")) {
            if (cause.path("reason").asString("").equals("ExitCode")) {
                return Integer.parseInt(cause.path("message").asString("1"));
            }
        }
        throw failed(told.path("message").asString("the runtime gave no reason"));
    }

    private void sendInput(InputStream in, boolean raw) {
        byte[] chunk = new byte[CHUNK_BYTES];
        byte last = 0;
        try {
            for (int count = in.read(chunk); count >= 0; count = in.read(chunk)) {
                for (int i = 0; raw && i < count; i++) {
                    if (last == CTRL_P && chunk[i] == CTRL_Q) {
                        detached = true;
                        client.close();
                        return;
                    }
                    last = chunk[i];
                }
                client.send(ChannelClient.STDIN, java.util.Arrays.copyOf(chunk, count));
            }
            if (canEndInput()) {
                client.closeChannel(ChannelClient.STDIN);
            }
        } catch (IOException theProcessHasEnded) {
            // Then nobody wants the rest; the receiver tells how it ended.
        }
    }

    private void followSize(Terminal terminal) {
        Optional<Terminal.Size> known = Optional.empty();
        try {
            while (!ended) {
                Optional<Terminal.Size> now = terminal.size();
                if (now.isPresent() && !now.equals(known)) {
                    client.resize(now.get().columns(), now.get().rows());
                    known = now;
                }
                Thread.sleep(SIZE_LOOK_MILLIS);
            }
        } catch (IOException | InterruptedException over) {
            // The size of a terminal matters to nobody now.
        }
    }

    // Reading a terminal cannot be interrupted, so nothing may wait for these threads.
    private static void daemon(String name, Runnable work) {
        Thread.ofPlatform().daemon().name(name).start(work);
    }

    private static DaemonFault failed(String words) {
        return new DaemonFault(ExitCode.STREAM_FAILED, words);
    }

    @Override
    public void close() {
        try {
            client.close();
        } catch (IOException e) {
            throw failed("close the connection to the container: " + RuntimeFault.reason(e));
        }
    }
}
