package io.berth.streaming;

import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelOutboundHandlerAdapter;

/**
 * Lets nothing read from the socket while reading is paused.
 *
 * <p>Decoders ask for more when a read gave them no whole frame, auto-read or not. Netty's SPDY codec asks after every
 * read, because it hands frames on past the bookkeeping of its base class: without the gate a pause has no effect.
 */
final class ReadGate extends ChannelOutboundHandlerAdapter {

    @Override
    public void read(ChannelHandlerContext ctx) {
        if (ctx.channel().config().isAutoRead()) {
            ctx.read();
        }
    }
}
