package io.berth.streaming;

import java.io.InputStream;
import java.io.OutputStream;
import java.util.Optional;
import java.util.function.Consumer;

/** The streams of one exec or attach as its protocol has set them up, with the error stream, which is ours to write. */
record RemoteStreams(
        Optional<Inbox> in,
        Optional<Outbox> out,
        Optional<Outbox> err,
        Outbox status,
        ResizeFeed resize,
        CloseSignal signal)
        implements ProcessStreams {

    @Override
    public Optional<InputStream> stdin() {
        return in.map(inbox -> inbox);
    }

    @Override
    public Optional<OutputStream> stdout() {
        return out.map(outbox -> outbox);
    }

    @Override
    public Optional<OutputStream> stderr() {
        return err.map(outbox -> outbox);
    }

    @Override
    public void onResize(Consumer<TerminalSize> listener) {
        resize.subscribe(listener);
    }

    @Override
    public void onClose(Runnable action) {
        signal.onClose(action);
    }
}
