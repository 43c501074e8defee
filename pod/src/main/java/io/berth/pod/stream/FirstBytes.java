package io.berth.pod.stream;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;

/** Passes everything on and remembers how it began: what a runtime says when it cannot start a process. */
final class FirstBytes extends OutputStream {

    private static final int REMEMBERED = 4096;

    private final OutputStream next;
    private final ByteArrayOutputStream first = new ByteArrayOutputStream();

    FirstBytes(OutputStream next) {
        this.next = next;
    }

    @Override
    public void write(int value) throws IOException {
        write(new byte[] {(byte) value}, 0, 1);
    }

    @Override
    public synchronized void write(byte[] bytes, int offset, int length) throws IOException {
        first.write(bytes, offset, Math.min(length, REMEMBERED - first.size()));
        next.write(bytes, offset, length);
    }

    @Override
    public void flush() throws IOException {
        next.flush();
    }

    synchronized String text() {
        return first.toString(StandardCharsets.UTF_8);
    }
}
