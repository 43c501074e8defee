package io.berth.streaming.client;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.US_ASCII;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.net.Socket;
import java.net.URI;
import java.nio.ByteBuffer;
import java.security.SecureRandom;
import java.util.Base64;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import javax.net.SocketFactory;

/**
 * A blocking WebSocket client (RFC 6455) for the channel protocols of Kubernetes: every message is a channel number and
 * a payload.
 *
 * <p>One thread may receive while others send. Pings are answered within {@link #receive}. The creator closes it.
 */
public final class ChannelClient implements AutoCloseable {

    public static final int STDIN = 0;
    public static final int STDOUT = 1;
    public static final int STDERR = 2;
    public static final int ERROR = 3;
    public static final int RESIZE = 4;

    private static final int CLOSE_CHANNEL = 255;
    private static final int BINARY = 2;
    private static final int CLOSE = 8;
    private static final int PING = 9;
    private static final int PONG = 10;
    private static final int FRAME_LIMIT = 16 * 1024 * 1024;
    private static final SecureRandom RANDOM = new SecureRandom();

    /** One message; the payload is the receiver's. */
    public record Message(int channel, byte[] payload) {}

    private final Socket socket;
    private final DataInputStream in;
    private final OutputStream out;
    private final String subprotocol;

    /**
     * Connects and upgrades.
     *
     * @param url what the runtime answered, http or https
     * @param subprotocols by preference, such as v5.channel.k8s.io
     * @param sockets makes the connection: {@link SocketFactory#getDefault()} or one of TLS
     * @throws IOException with the server's status line when it refuses
     */
    public static ChannelClient connect(URI url, List<String> subprotocols, SocketFactory sockets) throws IOException {
        int defaultPort = url.getScheme().equals("https") ? 443 : 80;
        Socket socket = sockets.createSocket(url.getHost(), url.getPort() < 0 ? defaultPort : url.getPort());
        try {
            socket.setTcpNoDelay(true);
            return new ChannelClient(socket, url, subprotocols);
        } catch (IOException | RuntimeException failure) {
            socket.close();
            throw failure;
        }
    }

    private ChannelClient(Socket socket, URI url, List<String> subprotocols) throws IOException {
        this.socket = socket;
        this.in = new DataInputStream(new BufferedInputStream(socket.getInputStream()));
        this.out = socket.getOutputStream();
        byte[] key = new byte[16];
        RANDOM.nextBytes(key);
        String path = url.getRawPath() + (url.getRawQuery() == null ? "" : "?" + url.getRawQuery());
        StringBuilder request = new StringBuilder("GET " + path + " HTTP/1.1\r\nHost: " + url.getAuthority()
                + "\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: "
                + Base64.getEncoder().encodeToString(key) + "\r\n");
        if (!subprotocols.isEmpty()) {
            request.append("Sec-WebSocket-Protocol: ").append(String.join(", ", subprotocols)).append("\r\n");
        }
        out.write(request.append("\r\n").toString().getBytes(US_ASCII));
        out.flush();
        String status = line();
        String chosen = "";
        for (String header = line(); !header.isEmpty(); header = line()) {
            int colon = header.indexOf(':');
            if (colon > 0 && header.substring(0, colon).toLowerCase(Locale.ROOT).equals("sec-websocket-protocol")) {
                chosen = header.substring(colon + 1).strip();
            }
        }
        if (!status.startsWith("HTTP/1.1 101 ")) {
            throw new IOException("upgrade to websocket: server answered " + status);
        }
        this.subprotocol = chosen;
    }

    private String line() throws IOException {
        ByteArrayOutputStream line = new ByteArrayOutputStream();
        for (int b = in.readUnsignedByte(); b != '\n'; b = in.readUnsignedByte()) {
            line.write(b);
            if (line.size() > 8192) {
                throw new IOException("upgrade to websocket: header line is too long");
            }
        }
        return line.toString(ISO_8859_1).strip();
    }

    /** What the server chose; empty when nothing was asked for. */
    public String subprotocol() {
        return subprotocol;
    }

    /** Sends {@code payload} on {@code channel}. */
    public void send(int channel, byte[] payload) throws IOException {
        byte[] message = new byte[payload.length + 1];
        message[0] = (byte) channel;
        System.arraycopy(payload, 0, message, 1, payload.length);
        sendFrame(BINARY, message);
    }

    /** Says that nothing more comes on {@code channel}; only with v5.channel.k8s.io. */
    public void closeChannel(int channel) throws IOException {
        sendFrame(BINARY, new byte[] {(byte) CLOSE_CHANNEL, (byte) channel});
    }

    /** Tells the server the size of the terminal, in character cells. */
    public void resize(int columns, int rows) throws IOException {
        send(RESIZE, ("{\"Width\":" + columns + ",\"Height\":" + rows + "}").getBytes(US_ASCII));
    }

    /** The next message with a channel; empty when the server has closed. */
    public Optional<Message> receive() throws IOException {
        ByteArrayOutputStream message = new ByteArrayOutputStream();
        while (true) {
            int first = in.read();
            if (first < 0) {
                return Optional.empty();
            }
            byte[] payload = payload(in.readUnsignedByte());
            switch (first & 0x0f) {
                case CLOSE -> {
                    return Optional.empty();
                }
                case PING -> sendFrame(PONG, payload);
                case PONG -> {}
                default -> {
                    message.write(payload);
                    if ((first & 0x80) != 0 && message.size() > 0) {
                        ByteBuffer whole = ByteBuffer.wrap(message.toByteArray());
                        int channel = whole.get() & 0xff;
                        byte[] rest = new byte[whole.remaining()];
                        whole.get(rest);
                        return Optional.of(new Message(channel, rest));
                    }
                }
            }
        }
    }

    private byte[] payload(int second) throws IOException {
        long length = second & 0x7f;
        if (length == 126) {
            length = in.readUnsignedShort();
        } else if (length == 127) {
            length = in.readLong();
        }
        if ((second & 0x80) != 0 || length < 0 || length > FRAME_LIMIT) {
            throw new IOException("receive websocket frame: server sent a masked frame or one of " + length + " bytes");
        }
        return in.readNBytes((int) length);
    }

    private void sendFrame(int opcode, byte[] payload) throws IOException {
        int size = payload.length;
        ByteBuffer frame = ByteBuffer.allocate(14 + size).put((byte) (0x80 | opcode));
        if (size < 126) {
            frame.put((byte) (0x80 | size));
        } else if (size < 65536) {
            frame.put((byte) (0x80 | 126)).putShort((short) size);
        } else {
            frame.put((byte) (0x80 | 127)).putLong(size);
        }
        byte[] mask = new byte[4];
        RANDOM.nextBytes(mask);
        frame.put(mask);
        for (int i = 0; i < size; i++) {
            frame.put((byte) (payload[i] ^ mask[i % 4]));
        }
        synchronized (out) {
            out.write(frame.array(), 0, frame.position());
            out.flush();
        }
    }

    /** Leaves without a farewell; the server sees the client gone. */
    @Override
    public void close() throws IOException {
        socket.close();
    }
}
