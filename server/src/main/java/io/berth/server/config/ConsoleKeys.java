package io.berth.server.config;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The keys below {@code [console]}. */
final class ConsoleKeys {

    private static final Pattern ADDRESS = Pattern.compile("([0-9.]+|\\[[0-9a-fA-F:]+]):([0-9]{1,5})");
    private static final int LARGEST_PORT = 65535;

    private ConsoleKeys() {}

    static Optional<InetSocketAddress> read(ConfigTable table) {
        boolean wanted = table.flag("console.enable", false);
        String text = table.text("console.address", "127.0.0.1:10280");
        Matcher address = ADDRESS.matcher(text);
        Optional<InetAddress> host = address.matches() ? literal(address.group(1)) : Optional.empty();
        int port = host.isPresent() ? Integer.parseInt(address.group(2)) : 0;
        if (host.isEmpty() || port > LARGEST_PORT) {
            table.problem("console.address = \"" + text + "\": ADDRESS:PORT such as \"127.0.0.1:10280\" is needed");
        } else if (!host.get().isLoopbackAddress()) {
            table.problem("console.address = \"" + text + "\": only a loopback address such as 127.0.0.1 is possible: what"
                    + " it shows is for root on this node. From elsewhere: ssh -L " + port + ":127.0.0.1:" + port + " NODE");
        } else {
            return Optional.of(new InetSocketAddress(host.get(), port)).filter(any -> wanted);
        }
        return Optional.empty();
    }

    // A literal only: a name would be looked up, and may mean another address tomorrow.
    private static Optional<InetAddress> literal(String text) {
        try {
            return Optional.of(InetAddress.ofLiteral(text.replaceAll("[\\[\\]]", "")));
        } catch (IllegalArgumentException notAnAddress) {
            return Optional.empty();
        }
    }
}
