package io.berth.streaming;

import io.netty.handler.codec.http.DefaultHttpHeaders;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaderValues;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.spdy.SpdyFrameCodec;
import io.netty.handler.codec.spdy.SpdyVersion;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Executor;
import java.util.function.Function;

/**
 * The upgrade to SPDY/3.1 with its choice of protocol: the first one the client names that is known here. Source:
 * k8s.io/apimachinery, util/httpstream and util/httpstream/spdy.
 */
final class SpdyHandshake {

    private static final String OFFERED = "X-Stream-Protocol-Version";
    private static final String ACCEPTED = "X-Accepted-Stream-Protocol-Versions";
    private static final String PORT_FORWARD = "portforward.k8s.io";
    private static final int CHUNK_BYTES = 8 * 1024;
    private static final int HEADER_BYTES = 8 * 1024;

    private final StreamTarget target;
    private final Executor executor;
    private final StreamingSettings settings;

    SpdyHandshake(StreamTarget target, Executor executor, StreamingSettings settings) {
        this.target = target;
        this.executor = executor;
        this.settings = settings;
    }

    Upgrade upgrade(HttpRequest http, StreamRequest request) {
        List<String> offered = http.headers().getAll(OFFERED).stream()
                .flatMap(line -> Arrays.stream(line.split(",")))
                .map(String::strip)
                .filter(name -> !name.isEmpty())
                .toList();
        if (offered.isEmpty()) {
            return new Upgrade.Refused(
                    HttpResponseStatus.BAD_REQUEST, "unable to upgrade: header " + OFFERED + " is missing or empty");
        }
        List<String> known =
                switch (request) {
                    case ProcessRequest process -> ChannelProtocol.spdyNames();
                    case PortForwardRequest forward -> List.of(PORT_FORWARD);
                };
        return offered.stream()
                .filter(known::contains)
                .findFirst()
                .map(name -> accepted(name, request))
                .orElseGet(() -> refused(known));
    }

    private Upgrade accepted(String name, StreamRequest request) {
        HttpHeaders headers = new DefaultHttpHeaders()
                .set(HttpHeaderNames.CONNECTION, HttpHeaderValues.UPGRADE)
                .set(HttpHeaderNames.UPGRADE, "SPDY/3.1")
                .set(OFFERED, name);
        return new Upgrade.Accepted(headers, List.of(codec(), session(name, request)));
    }

    private static Upgrade refused(List<String> known) {
        HttpHeaders headers = new DefaultHttpHeaders();
        known.forEach(name -> headers.add(ACCEPTED, name));
        return new Upgrade.Refused(
                HttpResponseStatus.FORBIDDEN, "unable to upgrade: the server accepts " + known, headers);
    }

    static SpdyFrameCodec codec() {
        return new SpdyFrameCodec(SpdyVersion.SPDY_3_1, CHUNK_BYTES, HEADER_BYTES, 1, 15, 8);
    }

    private SpdySession session(String protocol, StreamRequest request) {
        Function<SpdySession, SpdySession.Streams> purpose =
                switch (request) {
                    case ProcessRequest process -> {
                        ChannelProtocol version = ChannelProtocol.named(protocol).orElseThrow();
                        yield session -> new SpdyProcess(
                                session, target, process, version, settings.streamCreationTimeout());
                    }
                    case PortForwardRequest forward -> forwarding(forward);
                };
        return new SpdySession(executor, settings.idleTimeout(), purpose);
    }

    /** Port-forward, directly or in a tunnel. */
    SpdySession forwardSession(PortForwardRequest request) {
        return new SpdySession(executor, settings.idleTimeout(), forwarding(request));
    }

    private Function<SpdySession, SpdySession.Streams> forwarding(PortForwardRequest request) {
        return session -> new SpdyForward(session, target, request, settings.streamCreationTimeout());
    }
}
