package io.berth.pod.stream;

import io.berth.pod.Node;
import io.berth.streaming.AttachRequest;
import io.berth.streaming.ExecRequest;
import io.berth.streaming.ForwardedConnection;
import io.berth.streaming.PortForwardRequest;
import io.berth.streaming.ProcessStreams;
import io.berth.streaming.StreamTarget;
import java.io.IOException;

/** Joins streaming clients to this node's containers and pods. */
public final class PodStreams implements StreamTarget {

    private final ExecStream exec;
    private final AttachStream attach;
    private final PortForward portForward;

    public PodStreams(Node node) {
        this.exec = new ExecStream(node);
        this.attach = new AttachStream(node);
        this.portForward = new PortForward(node);
    }

    @Override
    public int exec(ExecRequest request, ProcessStreams streams) throws IOException {
        return exec.run(request, streams);
    }

    @Override
    public void attach(AttachRequest request, ProcessStreams streams) throws IOException {
        attach.run(request, streams);
    }

    @Override
    public void portForward(PortForwardRequest request, int port, ForwardedConnection connection) throws IOException {
        portForward.run(request, port, connection);
    }
}
