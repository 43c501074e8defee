package io.berth.cli;

import io.berth.cli.client.Connection;
import io.berth.cli.client.DaemonFault;
import io.berth.cli.client.ExitCode;
import io.berth.cli.client.FindPod;
import io.berth.cli.client.ForwardPort;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code berth port-forward}: brings ports of a pod to this machine. */
@Command(name = "port-forward", description = "Bring ports of a pod to ports of this machine, until Ctrl-C.",
        mixinStandardHelpOptions = true, footerHeading = "%nExamples:%n", footer = {"  berth port-forward web 8080:80",
            "  berth port-forward web 5432", "  berth port-forward web :80     (a free port, which is printed)"})
final class PortForwardCommand extends DaemonCommand {

    private static final int LARGEST_PORT = 65535;

    @Option(names = "--address", paramLabel = "ADDRESS", defaultValue = "127.0.0.1",
            description = "Where to listen; default: ${DEFAULT-VALUE}.")
    private InetAddress address;

    @Parameters(index = "0", paramLabel = "POD", description = "An id, the beginning of an id, or a name.")
    private String name;

    @Parameters(index = "1..*", arity = "1..*", paramLabel = "[LOCAL:]PORT", description = "The port here and in the pod.")
    private List<String> ports;

    private record Pair(int local, int remote) {

        static Pair parse(String words) {
            String[] parts = words.split(":", -1);
            try {
                int remote = Integer.parseInt(parts[parts.length - 1]);
                int local = parts.length == 1 ? remote : parts[0].isEmpty() ? 0 : Integer.parseInt(parts[0]);
                if (parts.length <= 2 && local >= 0 && local <= LARGEST_PORT && remote >= 1 && remote <= LARGEST_PORT) {
                    return new Pair(local, remote);
                }
            } catch (NumberFormatException notANumber) {
                // Told below.
            }
            throw new DaemonFault(ExitCode.USAGE, "forward port \"" + words + "\": PORT, LOCAL:PORT or :PORT is needed");
        }
    }

    @Override
    int run(Connection berth) throws InterruptedException {
        List<Pair> pairs = ports.stream().map(Pair::parse).toList();
        String pod = FindPod.named(berth, name).getId();
        List<ForwardPort> open = new ArrayList<>();
        try {
            for (Pair pair : pairs) {
                ForwardPort port = ForwardPort.open(berth, pod, address, pair.local, pair.remote, err()::println);
                open.add(port);
                out().println("forwarding " + address.getHostAddress() + ":" + port.localPort() + " to port " + pair.remote);
            }
            out().flush();
            new CountDownLatch(1).await();
            return 0;
        } finally {
            open.forEach(ForwardPort::close);
        }
    }
}
