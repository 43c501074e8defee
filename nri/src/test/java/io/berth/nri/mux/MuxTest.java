package io.berth.nri.mux;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.DataInputStream;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.util.HexFormat;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(30)
class MuxTest {

    /** What the Go stub of NRI 0.12 sends first: its registration, on the runtime's connection. */
    private static final String REGISTER = "00000002000000540000004a0000000101000a1c6e72692e706b672e6170692e7631616c70686131"
            + "2e52756e74696d65120e5265676973746572506c7567696e1a140a0570726f6265120231301a0776302e31322e3120e78a97d012";

    @TempDir
    private Path directory;

    private SocketChannel peer;
    private Mux mux;

    @BeforeEach
    void connect() throws IOException {
        var address = UnixDomainSocketAddress.of(directory.resolve("s"));
        try (ServerSocketChannel listener = ServerSocketChannel.open(StandardProtocolFamily.UNIX).bind(address)) {
            peer = SocketChannel.open(address);
            mux = new Mux("peer", listener.accept());
        }
    }

    @AfterEach
    void close() throws IOException {
        mux.close();
        peer.close();
    }

    private void send(byte[] bytes) throws IOException {
        ByteBuffer buffer = ByteBuffer.wrap(bytes);
        while (buffer.hasRemaining()) {
            peer.write(buffer);
        }
    }

    private static byte[] piece(int lane, byte[] data) {
        return ByteBuffer.allocate(8 + data.length).putInt(lane).putInt(data.length).put(data).array();
    }

    private String awaitEnd(Lane lane) throws IOException {
        assertEquals(-1, lane.input().read());
        return mux.end();
    }

    @Test
    void piecesOfTheGoStubReachTheirLane() throws IOException {
        Lane runtime = mux.open(Mux.RUNTIME);
        Lane plugin = mux.open(Mux.PLUGIN);
        mux.start();
        send(HexFormat.of().parseHex(REGISTER));
        send(piece(Mux.PLUGIN, new byte[] {7}));
        assertArrayEquals(HexFormat.of().parseHex(REGISTER.substring(16)), runtime.input().readNBytes(84));
        assertEquals(7, plugin.input().read());
    }

    @Test
    void aMessageOfSeveralPiecesIsOneStream() throws IOException {
        Lane plugin = mux.open(Mux.PLUGIN);
        mux.start();
        send(piece(Mux.PLUGIN, new byte[] {1, 2}));
        send(piece(Mux.PLUGIN, new byte[0]));
        send(piece(Mux.PLUGIN, new byte[] {3}));
        assertArrayEquals(new byte[] {1, 2, 3}, plugin.input().readNBytes(3));
    }

    /** The Go side cuts 10063 bytes into 4096 and 5967, and can read nothing that is cut otherwise. */
    @Test
    void aLargeMessageIsCutAsTheGoSideReadsIt() throws IOException {
        Lane plugin = mux.open(Mux.PLUGIN);
        mux.start();
        plugin.output().write(new byte[10_063]);
        DataInputStream in = new DataInputStream(Channels.newInputStream(peer));
        assertEquals(Mux.PLUGIN, in.readInt());
        assertEquals(4096, in.readInt());
        in.readNBytes(4096);
        assertEquals(Mux.PLUGIN, in.readInt());
        assertEquals(5967, in.readInt());
    }

    @Test
    void piecesForUnknownLanesAreDropped() throws IOException {
        Lane plugin = mux.open(Mux.PLUGIN);
        mux.start();
        send(piece(9, new byte[100]));
        send(piece(Mux.PLUGIN, new byte[] {5}));
        assertEquals(5, plugin.input().read());
    }

    @Test
    void garbageEndsItBeforeMemoryIsTakenForIt() throws IOException {
        Lane plugin = mux.open(Mux.PLUGIN);
        mux.start();
        send("GET / HTTP/1.1\r\n\r\n".getBytes(java.nio.charset.StandardCharsets.US_ASCII));
        assertTrue(awaitEnd(plugin).contains("the limit is"), mux.end());
    }

    @Test
    void aFloodThatNobodyReadsEndsIt() throws IOException {
        Lane plugin = mux.open(Mux.PLUGIN);
        mux.open(Mux.RUNTIME);
        mux.start();
        byte[] flood = piece(Mux.RUNTIME, new byte[1 << 20]);
        try {
            for (int i = 0; i < 20; i++) {
                send(flood);
            }
        } catch (IOException broken) {
            // As it should be: the other side has hung up.
        }
        assertTrue(awaitEnd(plugin).contains("more than is read"), mux.end());
    }

    @Test
    void theEndOfThePeerIsTheEndOfAllLanes() throws IOException {
        Lane plugin = mux.open(Mux.PLUGIN);
        Lane runtime = mux.open(Mux.RUNTIME);
        mux.start();
        send(new byte[] {0, 0, 0});
        peer.close();
        assertEquals(Mux.CLOSED_BY_PEER, awaitEnd(plugin));
        assertEquals(Mux.CLOSED_BY_PEER, awaitEnd(runtime));
    }
}
