package io.berth.it.conformance;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.berth.cri.v1.CDIDevice;
import io.berth.cri.v1.ContainerConfig;
import io.berth.cri.v1.Device;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Device nodes, and devices that a vendor describes (CDI). */
@Timeout(120)
class DevicesConformanceIT {

    @RegisterExtension
    static final Cri CRI = new Cri();

    private static Device.Builder device(String host, String container, String permissions) {
        return Device.newBuilder().setHostPath(host).setContainerPath(container).setPermissions(permissions);
    }

    // Opening it needs no capability, and no runtime gives it without being asked (runc 1.1 does so with /dev/net/tun).
    private static final String FUSE = "/dev/fuse";

    private static int open(String container, String how) {
        return CRI.exec(container, "sh", "-c", ": " + how).getExitCode();
    }

    @Test
    void aDeviceOfTheNodeIsInTheContainer() {
        String container = CRI.sleeper(CRI.pod(), config -> config.addDevices(device(FUSE, "/dev/mine", "rw")));
        assertEquals("a:e5\n", CRI.out(container, "stat", "-c", "%t:%T", "/dev/mine"));
        assertEquals(0, open(container, "<> /dev/mine"));
    }

    @Test
    void onlyWhatIsPermittedWorks() {
        String container = CRI.sleeper(CRI.pod(), config -> config.addDevices(device(FUSE, "/dev/mine", "r")));
        assertEquals(0, open(container, "< /dev/mine"));
        assertNotEquals(0, open(container, "<> /dev/mine"));
    }

    @Test
    void aNodeMadeInsideIsOfNoUse() {
        String container = CRI.sleeper(CRI.pod());
        assertEquals(0, CRI.exec(container, "mknod", "/desk/fuse", "c", "10", "229").getExitCode());
        assertNotEquals(0, open(container, "<> /desk/fuse"));
    }

    @Test
    void aDirectoryStandsForTheDevicesInIt() throws IOException {
        String container = CRI.sleeper(CRI.pod(), config -> config.addDevices(device("/dev/net", "/dev/net", "rwm")));
        assertEquals("a:c8\n", CRI.out(container, "stat", "-c", "%t:%T", "/dev/net/tun"));
    }

    @Test
    void whatIsNoDeviceIsRefused() {
        var pod = CRI.pod();
        Cri.refused(() -> CRI.create(pod, config -> config.addDevices(device("/dev/no-such-device", "/dev/mine", "rwm")), "true"));
        Cri.refused(() -> CRI.create(pod, config -> config.addDevices(device("/etc/hostname", "/dev/mine", "rwm")), "true"));
    }

    private static void describe(String file, String text) throws IOException {
        Path directory = Files.createDirectories(CRI.underTest().directory().resolve("cdi"));
        Files.writeString(directory.resolve(file), text);
    }

    private static ContainerConfig.Builder use(ContainerConfig.Builder config, String name) {
        return config.addCDIDevices(CDIDevice.newBuilder().setName(name));
    }

    @Test
    void aVendorsDeviceBringsItsEdits() throws IOException {
        CRI.onlyOnBerth("where another runtime looks for CDI files is its own configuration");
        Path mounted = Files.writeString(CRI.directory().resolve("library"), "of the vendor\n");
        describe("vendor.json", """
                {"cdiVersion":"0.6.0","kind":"example.com/gadget","containerEdits":{"env":["VENDOR=yes"]},"devices":[
                 {"name":"one","containerEdits":{"env":["GADGET=one"],"deviceNodes":[{"path":"/dev/gadget","hostPath":"/dev/kmsg"}],
                  "mounts":[{"hostPath":"%s","containerPath":"/vendor/library","options":["ro","bind"]}]}}]}
                """.formatted(mounted));
        String container = CRI.sleeper(CRI.pod(), config -> use(config, "example.com/gadget=one"));
        String environment = CRI.out(container, "env");
        assertTrue(environment.contains("VENDOR=yes\n") && environment.contains("GADGET=one\n"), environment);
        assertEquals("1:b\n", CRI.out(container, "stat", "-c", "%t:%T", "/dev/gadget"));
        assertEquals("of the vendor\n", CRI.out(container, "cat", "/vendor/library"));
    }

    @Test
    void anUnknownVendorsDeviceIsRefused() {
        CRI.onlyOnBerth("CDI came later");
        var pod = CRI.pod();
        Cri.refused(() -> CRI.create(pod, config -> use(config, "example.com/absent=one"), "true"));
        Cri.refused(() -> CRI.create(pod, config -> use(config, "not a name"), "true"));
    }

    @Test
    void aFileThatIsNotADescriptionIsInNobodysWay() throws IOException {
        CRI.onlyOnBerth("where another runtime looks for CDI files is its own configuration");
        describe("broken.json", "{ this is not JSON");
        describe("other.json", """
                {"cdiVersion":"0.5.0","kind":"example.com/other","devices":[{"name":"a","containerEdits":{"env":["OTHER=a"]}}]}
                """);
        try {
            String container = CRI.sleeper(CRI.pod(), config -> use(config, "example.com/other=a"));
            assertTrue(CRI.out(container, "env").contains("OTHER=a\n"));
        } finally {
            Files.delete(CRI.underTest().directory().resolve("cdi/broken.json"));
        }
    }
}
