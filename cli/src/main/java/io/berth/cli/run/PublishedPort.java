package io.berth.cli.run;

import io.berth.cli.client.DaemonFault;
import io.berth.cli.client.ExitCode;
import io.berth.cri.v1.PortMapping;
import io.berth.cri.v1.Protocol;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Reads {@code [ADDRESS:]HOST:CONTAINER[/PROTOCOL]}, as docker has it. */
public final class PublishedPort {

    private static final Pattern FORM = Pattern.compile(
            "(?:(?<address>[0-9]{1,3}(?:\\.[0-9]{1,3}){3}|\\[[0-9a-fA-F:]+]):)?(?<host>[0-9]{1,5}):"
            + "(?<container>[0-9]{1,5})(?:/(?<protocol>tcp|udp|sctp))?");
    private static final int LARGEST_PORT = 65535;

    private PublishedPort() {}

    /** @throws DaemonFault USAGE for another form */
    public static PortMapping parse(String words) {
        Matcher matcher = FORM.matcher(words);
        if (!matcher.matches() || !isPort(matcher.group("host")) || !isPort(matcher.group("container"))) {
            throw new DaemonFault(ExitCode.USAGE, "publish port \"" + words
                    + "\": [ADDRESS:]HOST:CONTAINER[/tcp|udp|sctp] with ports from 1 to 65535 is needed, such as 8080:80");
        }
        String protocol = matcher.group("protocol");
        String address = matcher.group("address");
        return PortMapping.newBuilder().setHostPort(Integer.parseInt(matcher.group("host")))
                .setContainerPort(Integer.parseInt(matcher.group("container")))
                .setHostIp(address == null ? "" : address.replaceAll("[\\[\\]]", ""))
                .setProtocol("udp".equals(protocol) ? Protocol.UDP : "sctp".equals(protocol) ? Protocol.SCTP : Protocol.TCP)
                .build();
    }

    private static boolean isPort(String digits) {
        int port = Integer.parseInt(digits);
        return port >= 1 && port <= LARGEST_PORT;
    }
}
