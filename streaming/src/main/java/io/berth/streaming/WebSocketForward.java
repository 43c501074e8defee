package io.berth.streaming;

import java.util.ArrayList;
import java.util.List;

/**
 * Port-forward over WebSocket: one connection for each port that was asked for, on two channels, data (2n) and error
 * (2n+1), each beginning with the port in two bytes, low byte first. The session ends with the last of them. Event loop
 * only. Source: k8s.io/kubelet, portforward/websocket.go.
 */
final class WebSocketForward implements WebSocketSession.Channels {

    private final WebSocketSession session;
    private final StreamTarget target;
    private final PortForwardRequest request;
    private final List<Inbox> inboxes = new ArrayList<>();
    private final List<ForwardRun> runs = new ArrayList<>();
    private int running;

    WebSocketForward(WebSocketSession session, StreamTarget target, PortForwardRequest request) {
        this.session = session;
        this.target = target;
        this.request = request;
        request.ports().forEach(port -> inboxes.add(new Inbox(session.connection())));
    }

    @Override
    public DataSink sink(int channel) {
        boolean data = channel >= 0 && channel % 2 == 0 && channel / 2 < inboxes.size();
        return data ? inboxes.get(channel / 2) : DataSink.DISCARD;
    }

    @Override
    public void start() {
        ClientConnection connection = session.connection();
        for (int n = 0; n < request.ports().size(); n++) {
            int port = request.ports().get(n);
            ChannelFraming data = framing(2 * n);
            ChannelFraming error = framing(2 * n + 1);
            byte[] prefix = {(byte) port, (byte) (port >> 8)};
            connection.sendNow(data.data(prefix, 0, prefix.length));
            connection.sendNow(error.data(prefix, 0, prefix.length));
            runs.add(new ForwardRun(
                    target,
                    request,
                    port,
                    connection,
                    inboxes.get(n),
                    new Outbox(connection, data),
                    new Outbox(connection, error),
                    this::done));
        }
        running = runs.size();
        runs.forEach(ForwardRun::start);
    }

    private ChannelFraming framing(int channel) {
        return new ChannelFraming(channel, session.protocol().base64());
    }

    private void done() {
        running--;
        if (running == 0) {
            session.connection().finish();
        }
    }

    @Override
    public void gone() {
        runs.forEach(ForwardRun::broken);
    }
}
