package io.berth.network;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.berth.base.RandomId;
import io.berth.network.builtin.BuiltinNetwork;
import io.berth.network.builtin.BuiltinSettings;
import io.berth.network.builtin.Subnet;
import io.berth.network.cni.CniNetwork;
import io.berth.network.cni.CniSettings;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Attach and detach of the built-in network beside the CNI bridge chain, in one run, prints medians. The rounds take turns,
 * so that both see the same machine. Rounds: {@code -Dberth.bench.rounds}.
 */
class AttachBenchIT {

    private static final List<Path> BINARIES = List.of(Path.of("/opt/cni/bin"), Path.of("/usr/lib/cni"));
    private static final int WARM_UP = 5;

    private record Figures(String name, List<Double> attach, List<Double> detach, List<Double> end) {
        Figures(String name) {
            this(name, new ArrayList<>(), new ArrayList<>(), new ArrayList<>());
        }

        void print() {
            System.out.printf(Locale.ROOT, "%-28s attach %6.2f ms   detach %6.2f ms   end of namespace %6.2f ms%n",
                    name, median(attach), median(detach), median(end));
        }

        private static double median(List<Double> values) {
            return values.stream().sorted().skip(values.size() / 2).findFirst().orElse(Double.NaN);
        }
    }

    @TempDir
    Path directory;

    @Test
    void attachAndDetachSideBySide() throws Exception {
        assumeTrue("root".equals(System.getProperty("user.name")), "needs root");
        assumeTrue(BINARIES.stream().anyMatch(one -> Files.exists(one.resolve("bridge"))), "CNI plugins are not installed");
        String unique = RandomId.hex(3);
        BuiltinNetwork builtin = BuiltinNetwork.open(new BuiltinSettings("bench_" + unique, "bt" + unique,
                Subnet.parse("10.197.0.0/24"), Optional.empty(), 0, true, true, directory));
        List<String> bridges = List.of("bc" + unique, "bm" + unique);
        CniNetwork plain = cni(bridges.get(0), false, "10.197.1");
        CniNetwork masquerading = cni(bridges.get(1), true, "10.197.2");
        try {
            int rounds = Integer.getInteger("berth.bench.rounds", 20);
            List<PortMapping> port = List.of(new PortMapping(PortMapping.Protocol.TCP, 80, 28190, ""));
            Figures[] all = {new Figures("built-in"), new Figures("built-in, host port"), new Figures("cni bridge+portmap"),
                new Figures("cni, masquerade"), new Figures("cni, host port")};
            for (int round = 0; round < rounds + WARM_UP; round++) {
                boolean counts = round >= WARM_UP;
                once(builtin, List.of(), all[0], counts);
                once(builtin, port, all[1], counts);
                once(plain, List.of(), all[2], counts);
                once(masquerading, List.of(), all[3], counts);
                once(plain, port, all[4], counts);
            }
            for (Figures one : all) {
                one.print();
            }
            together("built-in", builtin);
            together("cni bridge+portmap", plain);
            together("cni, masquerade", masquerading);
        } finally {
            builtin.teardown();
            bridges.forEach(bridge -> TestNamespace.host("ip", "link", "delete", bridge));
        }
    }

    private CniNetwork cni(String bridge, boolean masquerade, String subnet) throws IOException {
        Path conf = Files.createDirectory(directory.resolve(bridge + "-net.d"));
        Files.writeString(conf.resolve("10.conflist"), """
                {"cniVersion": "1.0.0", "name": "%s", "plugins": [
                  {"type": "bridge", "bridge": "%s", "isGateway": true, "ipMasq": %s, "hairpinMode": true,
                   "ipam": {"type": "host-local", "dataDir": "%s", "ranges": [[{"subnet": "%s.0/24"}]],
                            "routes": [{"dst": "0.0.0.0/0"}]}},
                  {"type": "portmap", "capabilities": {"portMappings": true}}]}"""
                .formatted(bridge, bridge, masquerade, directory.resolve(bridge + "-ipam"), subnet));
        return new CniNetwork(CniSettings.of(conf, BINARIES, directory.resolve(bridge + "-state")));
    }

    private void once(PodNetwork network, List<PortMapping> ports, Figures figures, boolean counts) {
        TestNamespace pod = new TestNamespace(directory);
        AttachRequest request = AttachRequest.of(RandomId.next(), "web", "default", "uid", pod.file()).withPorts(ports);
        long start = System.nanoTime();
        network.attach(request);
        long attached = System.nanoTime();
        network.detach(request.toDetach());
        long detached = System.nanoTime();
        pod.close();
        long ended = System.nanoTime();
        if (counts) {
            figures.attach.add((attached - start) / 1e6);
            figures.detach.add((detached - attached) / 1e6);
            figures.end.add((ended - detached) / 1e6);
        }
    }

    private void together(String name, PodNetwork network) throws Exception {
        List<TestNamespace> pods = new ArrayList<>();
        List<AttachRequest> requests = new ArrayList<>();
        for (int i = 0; i < 10; i++) {
            pods.add(new TestNamespace(directory));
            requests.add(AttachRequest.of(RandomId.next(), "web", "default", "uid", pods.getLast().file()));
        }
        try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
            long start = System.nanoTime();
            for (var one : requests.stream().map(request -> threads.submit(() -> network.attach(request))).toList()) {
                one.get();
            }
            long attached = System.nanoTime();
            for (var one : requests.stream()
                    .map(request -> threads.submit(() -> network.detach(request.toDetach()))).toList()) {
                one.get();
            }
            System.out.printf(Locale.ROOT, "%-28s ten at once: attach %6.1f ms   detach %6.1f ms%n",
                    name, (attached - start) / 1e6, (System.nanoTime() - attached) / 1e6);
        }
        pods.forEach(TestNamespace::close);
    }
}
