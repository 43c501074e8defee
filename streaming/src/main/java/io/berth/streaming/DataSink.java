package io.berth.streaming;

import io.netty.buffer.ByteBuf;

/** Takes what the client sends on one stream or channel. Called on the event loop only and never blocks. */
interface DataSink {

    /** Ignores everything. */
    DataSink DISCARD = new DataSink() {
        @Override
        public void data(ByteBuf bytes) {}

        @Override
        public void end() {}

        @Override
        public void broken() {}
    };

    /** More bytes; the buffer stays the caller's. */
    void data(ByteBuf bytes);

    /** The client will send no more. */
    void end();

    /** The client has reset the stream or vanished. */
    void broken();
}
