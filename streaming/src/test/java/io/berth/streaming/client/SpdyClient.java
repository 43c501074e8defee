package io.berth.streaming.client;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.US_ASCII;
import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.lang.reflect.Field;
import java.net.Socket;
import java.net.URI;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.zip.DataFormatException;
import java.util.zip.Deflater;
import java.util.zip.Inflater;

/** A SPDY/3.1 client of the kind of spdystream, on a socket and nothing else; each stream keeps all it receives. */
public final class SpdyClient implements AutoCloseable {

    public static final class Stream {
        private static final byte[] END = new byte[0];
        public final int id;
        public volatile boolean reset;
        private final BlockingQueue<byte[]> received = new LinkedBlockingQueue<>();

        Stream(int id) {
            this.id = id;
        }

        /** All bytes to the end or the reset of the stream. */
        public byte[] readAll() throws InterruptedException {
            ByteArrayOutputStream all = new ByteArrayOutputStream();
            while (true) {
                byte[] chunk = received.poll(20, TimeUnit.SECONDS);
                if (chunk == null) {
                    throw new AssertionError("stream " + id + " does not end, so far: " + all.size());
                }
                if (chunk == END) {
                    return all.toByteArray();
                }
                all.writeBytes(chunk);
            }
        }

        public String text() throws InterruptedException {
            return new String(readAll(), UTF_8);
        }

        public byte[] next() throws InterruptedException {
            return received.poll(10, TimeUnit.SECONDS);
        }
    }

    public final Socket socket;
    public final List<String> response = new ArrayList<>();
    public final BlockingQueue<Integer> pings = new LinkedBlockingQueue<>();
    public final BlockingQueue<Integer> replies = new LinkedBlockingQueue<>();
    public final BlockingQueue<Integer> resets = new LinkedBlockingQueue<>();
    private final DataInputStream in;
    private final DataOutputStream out;
    private final Map<Integer, Stream> streams = new ConcurrentHashMap<>();
    private final Deflater deflater = new Deflater();
    private final Inflater inflater = new Inflater();
    private int nextId = 1;
    public volatile boolean goneAway;
    public volatile boolean ended;

    public SpdyClient(URI url, String... protocols) throws IOException {
        deflater.setDictionary(dictionary());
        socket = new Socket(url.getHost(), url.getPort());
        socket.setTcpNoDelay(true);
        in = new DataInputStream(socket.getInputStream());
        out = new DataOutputStream(new java.io.BufferedOutputStream(socket.getOutputStream()));
        StringBuilder request = new StringBuilder(
                "POST " + url.getRawPath() + " HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\n"
                        + "Content-Length: 0\r\n");
        for (String protocol : protocols) {
            request.append("X-Stream-Protocol-Version: ").append(protocol).append("\r\n");
        }
        out.write(request.append("\r\n").toString().getBytes(US_ASCII));
        out.flush();
        for (String line = line(); !line.isEmpty(); line = line()) {
            response.add(line);
        }
    }

    /** Reads frames from now on. */
    public SpdyClient reading() {
        Thread.ofVirtual().start(this::readFrames);
        return this;
    }

    private String line() throws IOException {
        ByteArrayOutputStream line = new ByteArrayOutputStream();
        for (int b = in.read(); b != '\n' && b >= 0; b = in.read()) {
            line.write(b);
        }
        return line.toString(ISO_8859_1).strip();
    }

    /** Opens a stream and waits for the reply, as Go's client does. */
    public Stream open(Map<String, String> headers) throws Exception {
        Stream stream = openWithoutReply(headers);
        Integer replied = replies.poll(10, TimeUnit.SECONDS);
        if (replied == null || replied != stream.id) {
            throw new IOException("no reply to stream " + stream.id + " but " + replied);
        }
        return stream;
    }

    public Stream open(String type) throws Exception {
        return open(Map.of("streamtype", type));
    }

    public Stream openWithoutReply(Map<String, String> headers) throws IOException {
        Stream stream = new Stream(nextId);
        nextId += 2;
        streams.put(stream.id, stream);
        byte[] block = block(headers);
        synchronized (out) {
            out.writeInt(0x80030001);
            out.writeInt(block.length + 10);
            out.writeInt(stream.id);
            out.writeInt(0);
            out.writeShort(0);
            out.write(block);
            out.flush();
        }
        return stream;
    }

    private byte[] block(Map<String, String> headers) throws IOException {
        ByteArrayOutputStream plain = new ByteArrayOutputStream();
        DataOutputStream data = new DataOutputStream(plain);
        data.writeInt(headers.size());
        for (Map.Entry<String, String> header : headers.entrySet()) {
            data.writeInt(header.getKey().length());
            data.writeBytes(header.getKey());
            data.writeInt(header.getValue().length());
            data.writeBytes(header.getValue());
        }
        deflater.setInput(plain.toByteArray());
        byte[] packed = new byte[64 * 1024];
        int size = deflater.deflate(packed, 0, packed.length, Deflater.SYNC_FLUSH);
        return java.util.Arrays.copyOf(packed, size);
    }

    public void send(Stream stream, byte[] data, boolean last) throws IOException {
        synchronized (out) {
            out.writeInt(stream.id);
            out.writeInt(data.length | (last ? 0x01000000 : 0));
            out.write(data);
            out.flush();
        }
    }

    public void send(Stream stream, String text) throws IOException {
        send(stream, text.getBytes(UTF_8), false);
    }

    public void end(Stream stream) throws IOException {
        send(stream, new byte[0], true);
    }

    public void reset(Stream stream) throws IOException {
        raw(0x80030003, 8, stream.id, 5);
    }

    public void ping(int id) throws IOException {
        raw(0x80030006, 4, id);
    }

    public void raw(int... words) throws IOException {
        synchronized (out) {
            for (int word : words) {
                out.writeInt(word);
            }
            out.flush();
        }
    }

    private void readFrames() {
        try {
            while (true) {
                int head = in.readInt();
                int flagsAndLength = in.readInt();
                byte[] body = in.readNBytes(flagsAndLength & 0xffffff);
                boolean fin = (flagsAndLength >>> 24 & 1) != 0;
                frame(head, fin, body);
            }
        } catch (EOFException end) {
            ended = true;
        } catch (IOException | DataFormatException broken) {
            ended = true;
            streams.values().forEach(stream -> stream.reset = true);
        } finally {
            streams.values().forEach(stream -> stream.received.add(Stream.END));
        }
    }

    private void frame(int head, boolean fin, byte[] body) throws IOException, DataFormatException {
        if (head >= 0) {
            Stream stream = streams.get(head);
            if (body.length > 0) {
                stream.received.add(body);
            }
            if (fin) {
                stream.received.add(Stream.END);
            }
            return;
        }
        DataInputStream data = new DataInputStream(new java.io.ByteArrayInputStream(body));
        switch (head & 0xffff) {
            case 2 -> {
                int id = data.readInt();
                unpack(body);
                replies.add(id);
            }
            case 3 -> {
                int id = data.readInt();
                resets.add(id);
                if (streams.containsKey(id)) {
                    streams.get(id).reset = true;
                    streams.get(id).received.add(Stream.END);
                }
            }
            case 6 -> pings.add(data.readInt());
            case 7 -> goneAway = true;
            default -> throw new IOException("unexpected frame type " + (head & 0xffff));
        }
    }

    /** Go's client fails on a reply whose header block is not a whole compressed block. */
    private void unpack(byte[] body) throws DataFormatException, IOException {
        inflater.setInput(body, 4, body.length - 4);
        byte[] plain = new byte[4096];
        int size = inflater.inflate(plain);
        if (size == 0 && inflater.needsDictionary()) {
            inflater.setDictionary(dictionary());
            size = inflater.inflate(plain);
        }
        if (size < 4) {
            throw new IOException("header block of " + size + " bytes");
        }
    }

    private static byte[] dictionary() {
        try {
            Field dictionary =
                    Class.forName("io.netty.handler.codec.spdy.SpdyCodecUtil").getDeclaredField("SPDY_DICT");
            dictionary.setAccessible(true);
            return (byte[]) dictionary.get(null);
        } catch (ReflectiveOperationException moved) {
            throw new AssertionError(moved);
        }
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }
}
