package io.berth.streaming;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.berth.base.RuntimeFault;
import java.io.IOException;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.atomic.AtomicInteger;

/** What the command names is done: a handful of programs. */
final class FakeTarget implements StreamTarget {

    final BlockingQueue<String> events = new LinkedBlockingQueue<>();
    final AtomicInteger running = new AtomicInteger();
    volatile long slowness;

    @Override
    public int exec(ExecRequest request, ProcessStreams streams) throws IOException {
        running.incrementAndGet();
        try {
            return program(request, streams);
        } finally {
            running.decrementAndGet();
        }
    }

    private int program(ExecRequest request, ProcessStreams streams) throws IOException {
        switch (request.command().getFirst()) {
            case "cat" -> {
                streams.stdin().orElseThrow().transferTo(streams.stdout().orElseThrow());
                return 0;
            }
            case "count" -> {
                long count = count(streams);
                streams.stdout().orElseThrow().write(("" + count).getBytes(UTF_8));
                return 0;
            }
            case "both" -> {
                streams.stdout().orElseThrow().write("out".getBytes(UTF_8));
                streams.stderr().orElseThrow().write("err".getBytes(UTF_8));
                return 3;
            }
            case "yes" -> {
                byte[] block = new byte[64 * 1024];
                while (true) {
                    streams.stdout().orElseThrow().write(block);
                    events.add("wrote");
                }
            }
            case "sizes" -> {
                BlockingQueue<String> sizes = new LinkedBlockingQueue<>();
                streams.onResize(size -> sizes.add(size.columns() + "x" + size.rows()));
                await(sizes, streams);
                return 0;
            }
            case "wait" -> {
                BlockingQueue<String> gone = new LinkedBlockingQueue<>();
                streams.onClose(() -> gone.add("gone"));
                events.add("waiting");
                take(gone);
                events.add("gone");
                return 0;
            }
            case "fail" -> throw RuntimeFault.precondition("exec c1: container is \"paused\"");
            default -> throw new IllegalArgumentException("no program " + request.command());
        }
    }

    private void await(BlockingQueue<String> sizes, ProcessStreams streams) throws IOException {
        for (String size = take(sizes); ; size = take(sizes)) {
            streams.stdout().orElseThrow().write((size + " ").getBytes(UTF_8));
            if (size.equals("1x1")) {
                return;
            }
        }
    }

    private long count(ProcessStreams streams) throws IOException {
        byte[] buffer = new byte[16 * 1024];
        long count = 0;
        for (int n = streams.stdin().orElseThrow().read(buffer); n >= 0; n = streams.stdin().orElseThrow().read(buffer)) {
            count += n;
            pause();
        }
        return count;
    }

    private void pause() {
        if (slowness > 0) {
            try {
                Thread.sleep(slowness);
            } catch (InterruptedException interrupted) {
                throw new IllegalStateException(interrupted);
            }
        }
    }

    private static String take(BlockingQueue<String> queue) {
        try {
            return queue.take();
        } catch (InterruptedException interrupted) {
            throw new IllegalStateException(interrupted);
        }
    }

    @Override
    public void attach(AttachRequest request, ProcessStreams streams) throws IOException {
        streams.stdin().orElseThrow().transferTo(streams.stdout().orElseThrow());
    }

    @Override
    public void portForward(PortForwardRequest request, int port, ForwardedConnection connection) throws IOException {
        running.incrementAndGet();
        connection.onClose(() -> events.add("closed " + port));
        try {
            if (port == 9) {
                throw RuntimeFault.precondition("connection refused");
            }
            connection.toClient().write((port + ":").getBytes(UTF_8));
            connection.fromClient().transferTo(connection.toClient());
        } finally {
            running.decrementAndGet();
        }
    }
}
