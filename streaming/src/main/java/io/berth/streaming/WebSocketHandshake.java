package io.berth.streaming;

import static java.nio.charset.StandardCharsets.US_ASCII;

import io.netty.channel.ChannelHandler;
import io.netty.handler.codec.http.DefaultHttpHeaders;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaderValues;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.QueryStringDecoder;
import io.netty.handler.codec.http.websocketx.WebSocket13FrameDecoder;
import io.netty.handler.codec.http.websocketx.WebSocket13FrameEncoder;
import io.netty.handler.codec.http.websocketx.WebSocketDecoderConfig;
import io.netty.handler.codec.http.websocketx.WebSocketFrameAggregator;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Executor;
import java.util.function.Function;

/**
 * The upgrade to WebSocket (RFC 6455, section 4.2) with its choice of subprotocol: the first one the client names that
 * is known here; the first version of the channels when it names none.
 */
final class WebSocketHandshake {

    /** One message, whole in memory. Kubernetes clients send 32 KiB; a browser sends what was pasted at once. */
    private static final int MESSAGE_BYTES = 1024 * 1024;

    private static final int KEY_LENGTH = 24;
    private static final String ACCEPT_GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

    private final StreamTarget target;
    private final Executor executor;
    private final StreamingSettings settings;
    private final SpdyHandshake spdy;

    WebSocketHandshake(StreamTarget target, Executor executor, StreamingSettings settings, SpdyHandshake spdy) {
        this.target = target;
        this.executor = executor;
        this.settings = settings;
        this.spdy = spdy;
    }

    Upgrade upgrade(HttpRequest http, StreamRequest request) {
        String key = http.headers().get(HttpHeaderNames.SEC_WEBSOCKET_KEY, "");
        if (!"13".equals(http.headers().get(HttpHeaderNames.SEC_WEBSOCKET_VERSION))) {
            return new Upgrade.Refused(
                    HttpResponseStatus.UPGRADE_REQUIRED,
                    "websocket version 13 is required",
                    new DefaultHttpHeaders().set(HttpHeaderNames.SEC_WEBSOCKET_VERSION, "13"));
        }
        if (key.length() != KEY_LENGTH) {
            return new Upgrade.Refused(HttpResponseStatus.BAD_REQUEST, "Sec-WebSocket-Key is missing or malformed");
        }
        List<String> offered = http.headers().getAll(HttpHeaderNames.SEC_WEBSOCKET_PROTOCOL).stream()
                .flatMap(line -> Arrays.stream(line.split(",")))
                .map(String::strip)
                .filter(name -> !name.isEmpty())
                .toList();
        List<String> known = known(request);
        Optional<String> chosen = offered.stream().filter(known::contains).findFirst();
        if (chosen.isEmpty() && !offered.isEmpty()) {
            return new Upgrade.Refused(
                    HttpResponseStatus.FORBIDDEN, "requested subprotocols are not supported, the server has " + known);
        }
        StreamRequest complete = request;
        boolean tunnel = chosen.isPresent() && chosen.get().equals(SpdyTunnel.SUBPROTOCOL);
        if (request instanceof PortForwardRequest forward && !tunnel) {
            Optional<PortForwardRequest> withPorts = withPorts(forward, http.uri());
            if (withPorts.isEmpty()) {
                return new Upgrade.Refused(
                        HttpResponseStatus.BAD_REQUEST, "port-forward over websocket needs ports, 1 to 65535");
            }
            complete = withPorts.get();
        }
        return accepted(key, chosen, complete);
    }

    private static List<String> known(StreamRequest request) {
        return switch (request) {
            case ProcessRequest process -> ChannelProtocol.webSocketNames();
            case PortForwardRequest forward ->
                List.of(
                        ChannelProtocol.V4.wireName(),
                        ChannelProtocol.V4_BASE64.wireName(),
                        SpdyTunnel.SUBPROTOCOL);
        };
    }

    /** The kubelet puts the ports into the request; a client that has only the URL names them as port=1&port=2,3. */
    private static Optional<PortForwardRequest> withPorts(PortForwardRequest request, String uri) {
        if (!request.ports().isEmpty()) {
            return Optional.of(request);
        }
        List<String> values = new QueryStringDecoder(uri).parameters().getOrDefault("port", List.of());
        List<Integer> ports = new ArrayList<>();
        try {
            for (String value : values) {
                for (String port : value.split(",")) {
                    ports.add(Integer.parseInt(port));
                }
            }
        } catch (NumberFormatException notANumber) {
            return Optional.empty();
        }
        boolean valid = !ports.isEmpty()
                && ports.size() <= PortForwardRequest.MAX_PORTS
                && ports.stream().allMatch(PortForwardRequest::isPort);
        return valid ? Optional.of(new PortForwardRequest(request.sandboxId(), ports)) : Optional.empty();
    }

    private Upgrade accepted(String key, Optional<String> chosen, StreamRequest request) {
        HttpHeaders headers = new DefaultHttpHeaders()
                .set(HttpHeaderNames.CONNECTION, HttpHeaderValues.UPGRADE)
                .set(HttpHeaderNames.UPGRADE, HttpHeaderValues.WEBSOCKET)
                .set(HttpHeaderNames.SEC_WEBSOCKET_ACCEPT, accept(key));
        chosen.ifPresent(name -> headers.set(HttpHeaderNames.SEC_WEBSOCKET_PROTOCOL, name));
        List<ChannelHandler> handlers = new ArrayList<>();
        handlers.add(new WebSocket13FrameDecoder(WebSocketDecoderConfig.newBuilder()
                .maxFramePayloadLength(MESSAGE_BYTES)
                .expectMaskedFrames(true)
                .allowMaskMismatch(false)
                .allowExtensions(false)
                .withUTF8Validator(false)
                .build()));
        handlers.add(new WebSocket13FrameEncoder(false));
        if (request instanceof PortForwardRequest forward
                && chosen.filter(SpdyTunnel.SUBPROTOCOL::equals).isPresent()) {
            handlers.add(new SpdyTunnel());
            handlers.add(SpdyHandshake.codec());
            handlers.add(spdy.forwardSession(forward));
        } else {
            handlers.add(new WebSocketFrameAggregator(MESSAGE_BYTES));
            handlers.add(session(chosen.flatMap(ChannelProtocol::named).orElse(unnamed(request)), request));
        }
        return new Upgrade.Accepted(headers, handlers);
    }

    private static ChannelProtocol unnamed(StreamRequest request) {
        return request instanceof PortForwardRequest ? ChannelProtocol.V4 : ChannelProtocol.V1;
    }

    private WebSocketSession session(ChannelProtocol protocol, StreamRequest request) {
        Function<WebSocketSession, WebSocketSession.Channels> purpose =
                switch (request) {
                    case ProcessRequest process -> session -> new WebSocketProcess(session, target, process);
                    case PortForwardRequest forward -> session -> new WebSocketForward(session, target, forward);
                };
        return new WebSocketSession(executor, settings.idleTimeout(), protocol, purpose);
    }

    static String accept(String key) {
        try {
            MessageDigest sha1 = MessageDigest.getInstance("SHA-1");
            return Base64.getEncoder().encodeToString(sha1.digest((key + ACCEPT_GUID).getBytes(US_ASCII)));
        } catch (NoSuchAlgorithmException everyJdkHasIt) {
            throw new IllegalStateException(everyJdkHasIt);
        }
    }
}
