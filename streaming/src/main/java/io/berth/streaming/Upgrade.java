package io.berth.streaming;

import io.netty.channel.ChannelHandler;
import io.netty.handler.codec.http.DefaultHttpHeaders;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.codec.http.HttpResponseStatus;
import java.util.List;

/** What becomes of a request for an upgrade. */
sealed interface Upgrade {

    /** Answer 101 with these headers, then speak through these handlers. */
    record Accepted(HttpHeaders headers, List<ChannelHandler> handlers) implements Upgrade {}

    /** Told to the new handlers when the old ones have gone and they may write. */
    enum Event {
        DONE
    }

    /** Answer with this status and close. */
    record Refused(HttpResponseStatus status, String reason, HttpHeaders headers) implements Upgrade {

        Refused(HttpResponseStatus status, String reason) {
            this(status, reason, new DefaultHttpHeaders());
        }
    }
}
