package io.berth.shim;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.MessageLite;
import com.google.protobuf.Parser;
import io.berth.base.RuntimeFault;
import io.berth.shim.v2.ConnectResponse;
import io.berth.shim.v2.TaskRequest;
import io.berth.ttrpc.CallFault;
import io.berth.ttrpc.TtrpcClient;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.Channels;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.function.Consumer;

/** A connection to a running shim, and the calls of its task service. Thread-safe: calls may overlap. */
final class ShimConnection implements AutoCloseable {

    /** How long a shim that is well may take to say so. */
    private static final Duration SOON = Duration.ofSeconds(10);

    private final ShimAddress address;
    private final Duration limit;
    private final SocketChannel channel;
    private final TtrpcClient client;

    private ShimConnection(ShimAddress address, Duration limit, SocketChannel channel, Consumer<RuntimeFault> onEnd)
            throws IOException {
        this.address = address;
        this.limit = limit;
        this.channel = channel;
        this.client = new TtrpcClient("shim", Channels.newInputStream(channel), Channels.newOutputStream(channel), onEnd);
    }

    /**
     * Connects.
     *
     * @param limit how long a call may take
     * @param onEnd told once why the connection has ended, also after {@link #close}
     * @throws RuntimeFault UNAVAILABLE when nobody answers
     */
    static ShimConnection to(ShimAddress address, Duration limit, Consumer<RuntimeFault> onEnd) {
        SocketChannel channel = null;
        try {
            channel = SocketChannel.open(StandardProtocolFamily.UNIX);
            channel.connect(UnixDomainSocketAddress.of(address.socket()));
            return new ShimConnection(address, limit, channel, onEnd);
        } catch (IOException | IllegalArgumentException e) {
            closeQuietly(channel);
            throw new RuntimeFault(RuntimeFault.Kind.UNAVAILABLE, "connect to shim at " + address.socket() + ": "
                    + RuntimeFault.reason(e), e);
        }
    }

    /** Calls a method that answers with something. */
    <T> T call(String method, MessageLite request, Parser<T> answer) {
        return call(method, request, answer, limit);
    }

    <T> T call(String method, MessageLite request, Parser<T> answer, Duration within) {
        ByteString bytes = client.call(address.service(), method, request.toByteString(), within);
        try {
            return answer.parseFrom(bytes);
        } catch (InvalidProtocolBufferException e) {
            throw new RuntimeFault(RuntimeFault.Kind.INTERNAL, "call " + method + " of shim: its answer is no message", e);
        }
    }

    /** Calls a method whose answer is empty. */
    void call(String method, MessageLite request) {
        client.call(address.service(), method, request.toByteString(), limit);
    }

    /** As {@link #call(String, MessageLite)}, of what takes no time: who waits for it has more to do. */
    void callSoon(String method, MessageLite request) {
        client.call(address.service(), method, request.toByteString(), soon());
    }

    private Duration soon() {
        return SOON.compareTo(limit) < 0 ? SOON : limit;
    }

    /** What the shim says of itself; the id need not be known to it. */
    ConnectResponse ping(String id) {
        return call("Connect", TaskRequest.newBuilder().setId(id).build(), ConnectResponse.parser(), soon());
    }

    /** Whether a failure says that the shim does not know what was asked for. */
    static boolean isUnknown(RuntimeFault fault) {
        return fault instanceof CallFault call && call.origin() == CallFault.Origin.ANSWER
                && fault.kind() == RuntimeFault.Kind.NOT_FOUND;
    }

    /** Whether a failure is that no answer came in time. */
    static boolean isSilence(RuntimeFault fault) {
        return fault instanceof CallFault call && call.origin() == CallFault.Origin.TIMEOUT;
    }

    /** Whether a failure came from the connection: nothing is known then of what was asked for. */
    static boolean isLost(RuntimeFault fault) {
        return fault instanceof CallFault call && call.origin() == CallFault.Origin.CONNECTION;
    }

    @Override
    public void close() {
        client.close();
        closeQuietly(channel);
    }

    private static void closeQuietly(SocketChannel channel) {
        try {
            if (channel != null) {
                channel.close();
            }
        } catch (IOException alreadyBroken) {
            // Closing was all that was left to do.
        }
    }
}
