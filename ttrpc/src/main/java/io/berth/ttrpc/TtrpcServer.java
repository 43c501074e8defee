package io.berth.ttrpc;

import com.google.protobuf.ByteString;
import io.berth.base.RuntimeFault;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.Map;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The answering side of one connection; a virtual thread a call, at most a few at once: after that the peer is not read any
 * more until one has ended. The streams stay their maker's.
 */
public final class TtrpcServer implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(TtrpcServer.class);

    /** Answers the calls of one method; a {@link RuntimeFault} becomes the status of the same kind. */
    @FunctionalInterface
    public interface Method {
        /** The answer's message, as bytes. */
        ByteString answer(ByteString message);
    }

    private final String peer;
    private final InputStream in;
    private final FrameWriter writer;
    private final Map<String, Method> methods;
    private final Semaphore free;
    private final Consumer<RuntimeFault> onEnd;
    private final AtomicBoolean ended = new AtomicBoolean();
    private int lastStream = -1;

    /**
     * @param methods by {@code service/method}
     * @param atOnce how many calls are worked on at once
     * @param onEnd told once why the connection has ended
     */
    public TtrpcServer(String peer, InputStream in, OutputStream out, Map<String, Method> methods, int atOnce,
            Consumer<RuntimeFault> onEnd) {
        this.peer = peer;
        this.in = in;
        this.writer = new FrameWriter(peer, out);
        this.methods = Map.copyOf(methods);
        this.free = new Semaphore(atOnce);
        this.onEnd = onEnd;
        Thread.ofVirtual().name("ttrpc server " + peer).start(this::read);
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
        } catch (InterruptedException e) {
            reason = CallFault.connection("the connection to " + peer + " was closed");
        }
        finish(reason);
    }

    private void finish(RuntimeFault reason) {
        writer.close();
        if (ended.compareAndSet(false, true)) {
            onEnd.accept(reason);
        }
    }

    private void receive(Frame frame) throws InterruptedException {
        if (frame.type() != Frame.Type.REQUEST || frame.flags() != 0) {
            throw CallFault.connection("hear from " + peer + ": only requests without streams are answered here");
        }
        if (frame.stream() % 2 == 0 || Integer.compareUnsigned(frame.stream(), lastStream) <= 0 && lastStream != -1) {
            throw CallFault.connection("hear from " + peer + ": call number " + Integer.toUnsignedLong(frame.stream())
                    + " is not odd or not larger than the one before");
        }
        lastStream = frame.stream();
        Request request = Request.parse(frame.data());
        free.acquire();
        Thread.ofVirtual().name("ttrpc call " + peer).start(() -> {
            try {
                writer.send(new Frame(frame.stream(), Frame.Type.RESPONSE, 0, answer(request)));
            } catch (RuntimeFault gone) {
                // Who asks and does not read the answers would be worked for without end.
                finish(gone);
            } finally {
                free.release();
            }
        });
    }

    private byte[] answer(Request request) {
        Method method = methods.get(request.service() + "/" + request.method());
        if (method == null) {
            return new Response(StatusCodes.UNIMPLEMENTED, "there is no method " + request.service() + "/" + request.method(),
                    ByteString.EMPTY).bytes();
        }
        try {
            byte[] bytes = Response.of(method.answer(request.payload())).bytes();
            if (bytes.length <= Frame.DATA_LIMIT) {
                return bytes;
            }
            return new Response(StatusCodes.code(RuntimeFault.Kind.RESOURCE_EXHAUSTED), "the answer has " + bytes.length
                    + " bytes, the limit is " + Frame.DATA_LIMIT, ByteString.EMPTY).bytes();
        } catch (RuntimeFault fault) {
            return new Response(StatusCodes.code(fault.kind()), fault.getMessage(), ByteString.EMPTY).bytes();
        } catch (RuntimeException e) {
            LOG.atError().addKeyValue("peer", peer).addKeyValue("method", request.method()).setCause(e).log("call failed");
            return new Response(StatusCodes.UNKNOWN, RuntimeFault.reason(e), ByteString.EMPTY).bytes();
        }
    }

    /** Sends no more answers. The reading thread ends when the stream does. */
    @Override
    public void close() {
        writer.close();
    }
}
