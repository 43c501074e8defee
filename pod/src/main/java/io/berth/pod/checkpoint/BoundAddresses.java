package io.berth.pod.checkpoint;

import com.google.protobuf.UnknownFieldSet;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;

/**
 * The addresses that sockets of a checkpoint wait at, by CRIU's image of open files: in a pod that has another address it
 * could not bind them again. Connections are another matter, which CRIU's configuration decides. Stateless. Source: CRIU,
 * {@code images/sk-inet.proto}.
 */
final class BoundAddresses {

    private static final int INET_SOCKET = 4;
    private static final int LISTENS = 10;
    private static final int DATAGRAM = 2;

    private BoundAddresses() {}

    /** Those that are neither any nor a loopback address nor among {@code own}. */
    static Set<String> foreign(CriuImages images, List<String> own) {
        Set<InetAddress> there = own.stream().map(InetAddress::ofLiteral).collect(Collectors.toSet());
        Set<String> found = new TreeSet<>();
        images.read(CriuImages.Kind.FILES, entry -> {
            UnknownFieldSet socket = images.message(entry, INET_SOCKET);
            boolean waits = images.number(socket, 6) == LISTENS || images.number(socket, 4) == DATAGRAM;
            boolean free = images.number(images.message(socket, 16), 1) != 0;
            if (waits && !free && images.number(socket, 7) != 0) {
                address(images.numbers(socket, 11), there, found);
            }
        });
        return found;
    }

    private static void address(List<Long> words, Set<InetAddress> own, Set<String> found) {
        if (words.size() != 1 && words.size() != 4) {
            return;
        }
        // The words are as they are in memory, in the order of the network.
        ByteBuffer bytes = ByteBuffer.allocate(words.size() * Integer.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        words.forEach(word -> bytes.putInt(word.intValue()));
        try {
            InetAddress address = InetAddress.getByAddress(bytes.array());
            boolean there = address.isAnyLocalAddress() || address.isLoopbackAddress() || address.isMulticastAddress()
                    || address.isLinkLocalAddress() || own.contains(address);
            if (!there) {
                found.add(address.getHostAddress());
            }
        } catch (UnknownHostException e) {
            throw new IllegalStateException("an address of four or sixteen bytes", e);
        }
    }
}
