package io.berth.ttrpc;

import com.google.protobuf.ByteString;
import io.berth.base.RuntimeFault;
import java.io.InputStream;
import java.io.OutputStream;
import java.time.Duration;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;

/**
 * The calling side of one connection. Thread-safe: calls may overlap. The streams stay their maker's, who closes them when
 * {@code onEnd} is told or when it is done; closing the client ends what waits.
 */
public final class TtrpcClient implements AutoCloseable {

    /** Bytes of the largest message that can be sent, with a little room for the names of service and method. */
    public static final int MESSAGE_LIMIT = Frame.DATA_LIMIT - 4096;

    private static final int ABANDONED_LIMIT = 1024;

    private final String peer;
    private final InputStream in;
    private final FrameWriter writer;
    private final Consumer<RuntimeFault> onEnd;
    private final Map<Integer, CompletableFuture<Response>> waiting = new HashMap<>();
    /** Calls that nobody waits for any more; their answers may still come. */
    private final Set<Integer> abandoned = new HashSet<>();
    private int nextStream = 1;
    private RuntimeFault end;

    /**
     * @param peer the other side's name, for messages
     * @param onEnd told once, on the reading thread, why the connection has ended
     */
    public TtrpcClient(String peer, InputStream in, OutputStream out, Consumer<RuntimeFault> onEnd) {
        this.peer = peer;
        this.in = in;
        this.writer = new FrameWriter(peer, out);
        this.onEnd = onEnd;
        Thread.ofVirtual().name("ttrpc client " + peer).start(this::read);
    }

    /**
     * Calls a method and waits for its answer.
     *
     * @throws CallFault when it fails, by the peer's word, by time or by the end of the connection
     * @throws RuntimeFault RESOURCE_EXHAUSTED for a message that is too large to be sent, CANCELLED when interrupted
     */
    public ByteString call(String service, String method, ByteString payload, Duration limit) {
        byte[] data = new Request(service, method, payload, limit.toNanos()).bytes();
        if (data.length > Frame.DATA_LIMIT) {
            throw new RuntimeFault(RuntimeFault.Kind.RESOURCE_EXHAUSTED, "call " + method + " of " + peer + ": the message has "
                    + data.length + " bytes, the limit is " + Frame.DATA_LIMIT);
        }
        CompletableFuture<Response> answer = new CompletableFuture<>();
        int stream = send(data, answer);
        try {
            Response response = answer.get(limit.toNanos(), TimeUnit.NANOSECONDS);
            if (response.code() != 0) {
                throw CallFault.answer(response.code(), response.message());
            }
            return response.payload();
        } catch (TimeoutException e) {
            abandon(stream);
            throw CallFault.timeout("call " + method + " of " + peer + ": no answer within " + limit.toMillis() + " ms");
        } catch (InterruptedException e) {
            abandon(stream);
            Thread.currentThread().interrupt();
            throw new RuntimeFault(RuntimeFault.Kind.CANCELLED, "call " + method + " of " + peer + ": interrupted", e);
        } catch (ExecutionException e) {
            throw CallFault.connection("call " + method + " of " + peer + ": " + RuntimeFault.reason(e.getCause()), e.getCause());
        }
    }

    // Numbers must grow on the wire, so taking one and queueing its frame are one step.
    private synchronized int send(byte[] data, CompletableFuture<Response> answer) {
        if (end != null) {
            throw CallFault.connection("call " + peer + ": " + end.getMessage());
        }
        int stream = nextStream;
        writer.send(new Frame(stream, Frame.Type.REQUEST, 0, data));
        nextStream += 2;
        waiting.put(stream, answer);
        return stream;
    }

    private synchronized void abandon(int stream) {
        if (waiting.remove(stream) != null) {
            abandoned.add(stream);
            if (abandoned.size() > ABANDONED_LIMIT) {
                finish(CallFault.connection("call " + peer + ": " + ABANDONED_LIMIT + " calls were never answered"));
            }
        }
    }

    private void read() {
        RuntimeFault reason;
        try {
            for (var frame = Frame.read(in); frame.isPresent(); frame = Frame.read(in)) {
                receive(frame.get());
            }
            reason = CallFault.connection("the connection to " + peer + " has ended");
        } catch (RuntimeFault fault) {
            reason = fault;
        }
        finish(reason);
        onEnd.accept(reason);
    }

    private synchronized void receive(Frame frame) {
        if (frame.type() != Frame.Type.RESPONSE) {
            throw CallFault.connection("hear from " + peer + ": it sent a "
                    + frame.type().name().toLowerCase(java.util.Locale.ROOT) + ", only responses can come");
        }
        CompletableFuture<Response> answer = waiting.remove(frame.stream());
        if (answer == null && !abandoned.remove(frame.stream())) {
            throw CallFault.connection("hear from " + peer + ": it answers call " + frame.stream() + ", which there is not");
        }
        if (answer != null) {
            answer.complete(Response.parse(frame.data()));
        }
    }

    private synchronized void finish(RuntimeFault reason) {
        if (end == null) {
            end = reason;
            writer.close();
            waiting.values().forEach(answer -> answer.completeExceptionally(reason));
            waiting.clear();
        }
    }

    /** Ends all calls that wait. The reading thread ends when the stream does. */
    @Override
    public void close() {
        finish(CallFault.connection("the connection to " + peer + " was closed"));
    }
}
