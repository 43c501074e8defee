package io.berth.cli;

import java.io.BufferedOutputStream;
import java.io.FileDescriptor;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.InputStream;
import java.io.OutputStream;

/** This process's own input and output as bytes, past every encoding: what a container writes is not ours to interpret. */
final class ByteStreams {

    private ByteStreams() {}

    static InputStream stdin() {
        return new FileInputStream(FileDescriptor.in);
    }

    /** Buffered: whoever writes flushes. */
    static OutputStream stdout() {
        return new BufferedOutputStream(new FileOutputStream(FileDescriptor.out));
    }

    /** Buffered: whoever writes flushes. */
    static OutputStream stderr() {
        return new BufferedOutputStream(new FileOutputStream(FileDescriptor.err));
    }
}
