package io.berth.streaming;

import java.util.Optional;

/**
 * Exec or attach over WebSocket: the channels are the descriptors 0 to 2, then the error (3) and the terminal's size
 * (4). All are there from the start. Event loop only.
 */
final class WebSocketProcess implements WebSocketSession.Channels {

    private static final int STDIN = 0;
    private static final int STDOUT = 1;
    private static final int STDERR = 2;
    private static final int ERROR = 3;
    private static final int RESIZE = 4;

    private final WebSocketSession session;
    private final StreamTarget target;
    private final ProcessRequest request;
    private final RemoteStreams streams;

    WebSocketProcess(WebSocketSession session, StreamTarget target, ProcessRequest request) {
        this.session = session;
        this.target = target;
        this.request = request;
        ClientConnection connection = session.connection();
        this.streams = new RemoteStreams(
                request.stdin() ? Optional.of(new Inbox(connection)) : Optional.empty(),
                request.stdout() ? Optional.of(outbox(STDOUT)) : Optional.empty(),
                request.stderr() ? Optional.of(outbox(STDERR)) : Optional.empty(),
                outbox(ERROR),
                new ResizeFeed(connection.executor()),
                new CloseSignal(connection.executor()));
    }

    private Outbox outbox(int channel) {
        return new Outbox(session.connection(), framing(channel));
    }

    private ChannelFraming framing(int channel) {
        return new ChannelFraming(channel, session.protocol().base64());
    }

    @Override
    public DataSink sink(int channel) {
        return switch (channel) {
            case STDIN -> streams.in().isPresent() ? streams.in().get() : DataSink.DISCARD;
            case RESIZE -> streams.resize();
            default -> DataSink.DISCARD;
        };
    }

    @Override
    public void start() {
        int lowestWritable = request.stdout() ? STDOUT : request.stderr() ? STDERR : ERROR;
        session.connection().sendNow(framing(lowestWritable).hello());
        new ProcessRun(target, request, session.connection(), streams, session.protocol().jsonStatus()).start();
    }

    @Override
    public void gone() {
        streams.signal().fire();
        streams.in().ifPresent(Inbox::broken);
    }
}
