package io.berth.cli.run;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.berth.cli.client.DaemonFault;
import io.berth.cli.client.ExitCode;
import io.berth.cri.v1.Mount;
import io.berth.cri.v1.PortMapping;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class RunArgumentsTest {

    @ParameterizedTest
    @CsvSource({"8080:80, '', 8080, 80, TCP", "127.0.0.1:53:53/udp, 127.0.0.1, 53, 53, UDP", "'[::1]:1:65535', ::1, 1, 65535, TCP"})
    void portsAreReadAsDockerWritesThem(String words, String address, int host, int container, String protocol) {
        PortMapping port = PublishedPort.parse(words);
        assertEquals(address, port.getHostIp());
        assertEquals(host, port.getHostPort());
        assertEquals(container, port.getContainerPort());
        assertEquals(protocol, port.getProtocol().name());
    }

    @ParameterizedTest
    @ValueSource(strings = {"80", "0:80", "80:65536", "a:80", "80:80/icmp", "host:80:80", "80:80:80", ""})
    void otherPortsAreAMisuse(String words) {
        assertEquals(ExitCode.USAGE, assertThrows(DaemonFault.class, () -> PublishedPort.parse(words)).code());
    }

    @ParameterizedTest
    @CsvSource({"64, 64", "64b, 64", "1k, 1024", "64m, 67108864", "64Mi, 67108864", "1G, 1073741824", "2gb, 2147483648"})
    void memoryIsReadInDockersAndKubernetesUnits(String words, long bytes) {
        assertEquals(bytes, Amount.bytes(words));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "m", "-1", "1.5g", "1x", "99999999999999"})
    void otherAmountsAreAMisuse(String words) {
        assertEquals(ExitCode.USAGE, assertThrows(DaemonFault.class, () -> Amount.bytes(words)).code());
    }

    @Test
    void aMountNeedsAHostPathThatIsThere(@TempDir Path there) {
        Mount mount = VolumeMount.parse(there + ":/data:ro");
        assertEquals(there.toString(), mount.getHostPath());
        assertEquals("/data", mount.getContainerPath());
        assertEquals(true, mount.getReadonly());
        assertEquals(ExitCode.NOT_FOUND,
                assertThrows(DaemonFault.class, () -> VolumeMount.parse(there + "/none:/data")).code());
        assertEquals(ExitCode.USAGE, assertThrows(DaemonFault.class, () -> VolumeMount.parse(there + ":data")).code());
        assertEquals(ExitCode.USAGE, assertThrows(DaemonFault.class, () -> VolumeMount.parse(there + ":/d:shared")).code());
    }
}
