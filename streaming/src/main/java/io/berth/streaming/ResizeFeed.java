package io.berth.streaming;

import io.netty.buffer.ByteBuf;
import java.util.Optional;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The resize stream: flat JSON objects such as {"Width":80,"Height":24}, one after another, cut into frames anywhere.
 *
 * <p>The newest size wins: only it is kept, and a slow listener never sees the ones in between. What is not such an
 * object ends the feed, as it does for the peers.
 */
final class ResizeFeed implements DataSink {

    private static final Logger LOG = LoggerFactory.getLogger(ResizeFeed.class);
    private static final int OBJECT_LIMIT = 256;
    private static final Pattern WIDTH = field("width");
    private static final Pattern HEIGHT = field("height");

    private final Executor executor;
    private final StringBuilder text = new StringBuilder();
    private boolean broken;

    // Guarded by this.
    private Optional<TerminalSize> pending = Optional.empty();
    private Optional<Consumer<TerminalSize>> listener = Optional.empty();
    private boolean delivering;

    ResizeFeed(Executor executor) {
        this.executor = executor;
    }

    @Override
    public void data(ByteBuf bytes) {
        int end = bytes.writerIndex();
        for (int i = bytes.readerIndex(); i < end && !broken; i++) {
            char c = (char) (bytes.getByte(i) & 0xff);
            text.append(c);
            if (c == '}') {
                parsed(text.toString()).ifPresentOrElse(this::publish, this::broken);
                text.setLength(0);
            } else if (text.length() > OBJECT_LIMIT) {
                broken();
            }
        }
    }

    @Override
    public void end() {
        broken();
    }

    @Override
    public void broken() {
        broken = true;
        text.setLength(0);
    }

    static Optional<TerminalSize> parsed(String object) {
        String json = object.strip();
        if (!json.startsWith("{") || !json.endsWith("}")) {
            return Optional.empty();
        }
        // Go's decoder leaves an absent number at zero and ignores the case of names.
        int columns = number(WIDTH, json);
        int rows = number(HEIGHT, json);
        return columns > 65535 || rows > 65535 ? Optional.empty() : Optional.of(new TerminalSize(columns, rows));
    }

    private static int number(Pattern field, String json) {
        Matcher found = field.matcher(json);
        return found.find() ? Integer.parseInt(found.group(1)) : 0;
    }

    private static Pattern field(String name) {
        return Pattern.compile("\"" + name + "\"\\s*:\\s*([0-9]{1,9})(?=[\\s,}])", Pattern.CASE_INSENSITIVE);
    }

    synchronized void subscribe(Consumer<TerminalSize> subscriber) {
        listener = Optional.of(subscriber);
        deliver();
    }

    private synchronized void publish(TerminalSize size) {
        pending = Optional.of(size);
        deliver();
    }

    /** Holding the monitor. */
    private void deliver() {
        if (delivering || pending.isEmpty() || listener.isEmpty()) {
            return;
        }
        delivering = true;
        try {
            executor.execute(this::drain);
        } catch (RejectedExecutionException shutDown) {
            delivering = false;
        }
    }

    private void drain() {
        while (true) {
            TerminalSize size;
            Consumer<TerminalSize> subscriber;
            synchronized (this) {
                if (pending.isEmpty()) {
                    delivering = false;
                    return;
                }
                size = pending.get();
                subscriber = listener.orElseThrow();
                pending = Optional.empty();
            }
            try {
                subscriber.accept(size);
            } catch (RuntimeException failure) {
                LOG.atWarn()
                        .addKeyValue("columns", size.columns())
                        .addKeyValue("rows", size.rows())
                        .setCause(failure)
                        .log("terminal resize failed");
            }
        }
    }
}
