package io.berth.it.conformance;

import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import javax.net.SocketFactory;

/** Sockets on which a wait for the other side ends with an error: a stream that stands still must not hang the suite. */
final class PatientSockets extends SocketFactory {

    private static final int PATIENCE_MILLIS = 30_000;

    private static Socket patient(Socket socket) throws IOException {
        socket.setSoTimeout(PATIENCE_MILLIS);
        return socket;
    }

    @Override
    public Socket createSocket(String host, int port) throws IOException {
        return patient(new Socket(host, port));
    }

    @Override
    public Socket createSocket(String host, int port, InetAddress localHost, int localPort) throws IOException {
        return patient(new Socket(host, port, localHost, localPort));
    }

    @Override
    public Socket createSocket(InetAddress host, int port) throws IOException {
        return patient(new Socket(host, port));
    }

    @Override
    public Socket createSocket(InetAddress address, int port, InetAddress localAddress, int localPort) throws IOException {
        return patient(new Socket(address, port, localAddress, localPort));
    }
}
