package io.berth.ttrpc;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import io.berth.base.RuntimeFault;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.channels.Channels;
import java.nio.channels.Pipe;
import java.time.Duration;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(30)
class CallTest {

    private static final Duration LONG = Duration.ofSeconds(20);
    private static final ByteString HELLO = ByteString.copyFromUtf8("hello");

    private final Pipe toServer = pipe();
    private final Pipe toClient = pipe();
    private final CompletableFuture<RuntimeFault> clientEnd = new CompletableFuture<>();
    private final CompletableFuture<RuntimeFault> serverEnd = new CompletableFuture<>();

    private static Pipe pipe() {
        try {
            return Pipe.open();
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    @AfterEach
    void close() throws IOException {
        toServer.sink().close();
        toServer.source().close();
        toClient.sink().close();
        toClient.source().close();
    }

    private TtrpcClient client() {
        return new TtrpcClient("peer", Channels.newInputStream(toClient.source()), Channels.newOutputStream(toServer.sink()),
                clientEnd::complete);
    }

    private void server(Map<String, TtrpcServer.Method> methods) {
        new TtrpcServer("peer", Channels.newInputStream(toServer.source()), Channels.newOutputStream(toClient.sink()), methods,
                4, serverEnd::complete);
    }

    private OutputStream serverBytes() {
        return Channels.newOutputStream(toClient.sink());
    }

    private InputStream clientBytes() {
        return Channels.newInputStream(toServer.source());
    }

    @Test
    void aCallGetsItsAnswerAndManyAtOnceGetTheirOwn() throws Exception {
        server(Map.of("s/echo", message -> message));
        TtrpcClient client = client();
        assertEquals(HELLO, client.call("s", "echo", HELLO, LONG));
        try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
            List<CompletableFuture<ByteString>> calls = IntStream.range(0, 200).mapToObj(i -> CompletableFuture.supplyAsync(
                    () -> client.call("s", "echo", ByteString.copyFromUtf8("call " + i), LONG), threads)).toList();
            for (int i = 0; i < calls.size(); i++) {
                assertEquals("call " + i, calls.get(i).get().toStringUtf8());
            }
        }
    }

    @Test
    void aLargeMessagePassesAndOneThatIsTooLargeIsNotSent() {
        server(Map.of("s/size", message -> ByteString.copyFromUtf8(Integer.toString(message.size()))));
        TtrpcClient client = client();
        byte[] large = new byte[TtrpcClient.MESSAGE_LIMIT];
        assertEquals(Integer.toString(large.length), client.call("s", "size", ByteString.copyFrom(large), LONG).toStringUtf8());
        RuntimeFault fault = assertThrows(RuntimeFault.class,
                () -> client.call("s", "size", ByteString.copyFrom(new byte[(4 << 20) + 1]), LONG));
        assertEquals(RuntimeFault.Kind.RESOURCE_EXHAUSTED, fault.kind());
        assertEquals("2", client.call("s", "size", ByteString.copyFromUtf8("ab"), LONG).toStringUtf8());
    }

    @Test
    void aFaultOfTheMethodIsTheFaultOfTheCall() {
        server(Map.of("s/fail", message -> {
            throw RuntimeFault.precondition("not\nnow");
        }));
        TtrpcClient client = client();
        CallFault fault = assertThrows(CallFault.class, () -> client.call("s", "fail", HELLO, LONG));
        assertEquals(CallFault.Origin.ANSWER, fault.origin());
        assertEquals(RuntimeFault.Kind.FAILED_PRECONDITION, fault.kind());
        assertEquals("not now", fault.getMessage());
        assertFalse(fault.isUnimplemented());
        assertTrue(assertThrows(CallFault.class, () -> client.call("s", "other", HELLO, LONG)).isUnimplemented());
    }

    @Test
    void aCallWithoutAnAnswerEndsByItsLimitAndALateAnswerHurtsNobody() throws Exception {
        CountDownLatch release = new CountDownLatch(1);
        server(Map.of("s/wait", message -> {
            try {
                release.await();
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
            return message;
        }, "s/echo", message -> message));
        TtrpcClient client = client();
        CallFault fault = assertThrows(CallFault.class, () -> client.call("s", "wait", HELLO, Duration.ofMillis(50)));
        assertEquals(CallFault.Origin.TIMEOUT, fault.origin());
        release.countDown();
        assertEquals(HELLO, client.call("s", "echo", HELLO, LONG));
    }

    @Test
    void theEndOfThePeerEndsCallsThatWait() throws Exception {
        TtrpcClient client = client();
        var call = CompletableFuture.supplyAsync(() -> client.call("s", "m", HELLO, LONG),
                Executors.newVirtualThreadPerTaskExecutor());
        clientBytes().readNBytes(10);
        toClient.sink().close();
        var fault = assertThrows(java.util.concurrent.ExecutionException.class, () -> call.get(10, TimeUnit.SECONDS));
        assertEquals(CallFault.Origin.CONNECTION, ((CallFault) fault.getCause()).origin());
        assertTrue(clientEnd.get(10, TimeUnit.SECONDS).getMessage().contains("has ended"));
        assertEquals(CallFault.Origin.CONNECTION,
                assertThrows(CallFault.class, () -> client.call("s", "m", HELLO, LONG)).origin());
    }

    @Test
    void anAnswerToACallThatThereIsNotEndsTheClient() throws Exception {
        client();
        serverBytes().write(HexFormat.of().parseHex("00000000000000070200"));
        assertTrue(clientEnd.get(10, TimeUnit.SECONDS).getMessage().contains("call 7, which there is not"));
    }

    @Test
    void garbageEndsEitherSide() throws Exception {
        client();
        serverBytes().write("HTTP/1.1 400 Bad Request\r\n\r\n".getBytes(java.nio.charset.StandardCharsets.UTF_8));
        assertTrue(clientEnd.get(10, TimeUnit.SECONDS).getMessage().contains("the limit is"));
        server(Map.of());
        Channels.newOutputStream(toServer.sink()).write(HexFormat.of().parseHex("00000000000000010200"));
        assertTrue(serverEnd.get(10, TimeUnit.SECONDS).getMessage().contains("only requests"));
    }

    @Test
    void aServerRefusesCallNumbersThatDoNotGrow() throws Exception {
        server(Map.of());
        OutputStream out = Channels.newOutputStream(toServer.sink());
        out.write(HexFormat.of().parseHex("00000000000000030100"));
        out.write(HexFormat.of().parseHex("00000000000000030100"));
        assertTrue(serverEnd.get(10, TimeUnit.SECONDS).getMessage().contains("call number 3"));
    }

    @Test
    void aPeerThatDoesNotReadIsNoticedAndHoldsNobodyUp() {
        TtrpcClient client = client();
        byte[] payload = new byte[1 << 20];
        CallFault fault = assertThrows(CallFault.class, () -> {
            for (int i = 0; i < 200; i++) {
                try {
                    client.call("s", "m", ByteString.copyFrom(payload), Duration.ofMillis(1));
                } catch (CallFault each) {
                    if (each.origin() != CallFault.Origin.TIMEOUT) {
                        throw each;
                    }
                }
            }
        });
        assertTrue(fault.getMessage().contains("does not read"), fault.getMessage());
    }
}
