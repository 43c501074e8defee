package io.berth.streaming;

import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * The versions of the remote command protocol (k8s.io/apimachinery, util/remotecommand and util/httpstream/wsstream),
 * in the order in which a server offers them.
 *
 * <p>Version 2 repaired 1 on SPDY, 3 added the terminal size, 4 the status as JSON, 5, only on WebSocket, the message
 * that closes one channel.
 */
enum ChannelProtocol {
    V5("v5.channel.k8s.io", false, true, true, true, false),
    V4("v4.channel.k8s.io", true, true, true, true, false),
    V3("v3.channel.k8s.io", true, false, false, true, false),
    V2("v2.channel.k8s.io", true, false, false, false, false),
    V1("channel.k8s.io", true, true, false, false, false),
    V4_BASE64("v4.base64.channel.k8s.io", false, true, true, true, true),
    V1_BASE64("base64.channel.k8s.io", false, true, false, false, true);

    private final String wireName;
    private final boolean onSpdy;
    private final boolean onWebSocket;
    private final boolean jsonStatus;
    private final boolean resizes;
    private final boolean base64;

    ChannelProtocol(
            String wireName,
            boolean onSpdy,
            boolean onWebSocket,
            boolean jsonStatus,
            boolean resizes,
            boolean base64) {
        this.wireName = wireName;
        this.onSpdy = onSpdy;
        this.onWebSocket = onWebSocket;
        this.jsonStatus = jsonStatus;
        this.resizes = resizes;
        this.base64 = base64;
    }

    String wireName() {
        return wireName;
    }

    boolean jsonStatus() {
        return jsonStatus;
    }

    /** Whether a SPDY client with a terminal opens a resize stream. */
    boolean resizes() {
        return resizes;
    }

    boolean base64() {
        return base64;
    }

    boolean closesChannels() {
        return this == V5;
    }

    static List<String> spdyNames() {
        return Arrays.stream(values()).filter(p -> p.onSpdy).map(p -> p.wireName).toList();
    }

    static List<String> webSocketNames() {
        return Arrays.stream(values()).filter(p -> p.onWebSocket).map(p -> p.wireName).toList();
    }

    static Optional<ChannelProtocol> named(String name) {
        return Arrays.stream(values()).filter(p -> p.wireName.equals(name)).findFirst();
    }
}
