package io.berth.pod.cdi;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.berth.base.RuntimeFault;
import io.berth.cri.v1.CDIDevice;
import io.berth.cri.v1.ContainerConfig;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

class CdiDevicesTest {

    private static final String GPU = """
            {"cdiVersion": "0.6.0", "kind": "vendor.com/gpu",
             "containerEdits": {"env": ["DRIVER=common"], "additionalGids": [44]},
             "devices": [{"name": "0", "containerEdits": {
                "env": ["GPU=zero", "PATH=/vendor"],
                "deviceNodes": [{"path": "/dev/gpu0", "hostPath": "/dev/null", "permissions": "rw"}],
                "mounts": [{"hostPath": "/usr/lib", "containerPath": "/vendor", "options": ["ro", "bind"]}],
                "hooks": [{"hookName": "createContainer", "path": "/bin/hook", "args": ["hook", "x"]}]}}]}
            """;

    @TempDir
    Path directory;

    private Path low;
    private Path high;
    private final ObjectNode spec = (ObjectNode) JsonMapper.shared().readTree("""
            {"process": {"env": ["PATH=/bin"], "user": {"uid": 7, "gid": 8}},
             "mounts": [], "linux": {"devices": [], "resources": {"devices": []}}}
            """);

    @BeforeEach
    void directories() throws Exception {
        low = Files.createDirectories(directory.resolve("etc"));
        high = Files.createDirectories(directory.resolve("run"));
    }

    private void inject(String... names) {
        var config = ContainerConfig.newBuilder();
        for (String name : names) {
            config.addCDIDevices(CDIDevice.newBuilder().setName(name));
        }
        new CdiDevices(List.of(low, high)).inject(config.build(), spec);
    }

    @Test
    void aDeviceBringsItsNodesMountsHooksAndEnvironment() throws Exception {
        Files.writeString(low.resolve("gpu.json"), GPU);
        inject("vendor.com/gpu=0");
        assertEquals("[\"PATH=/vendor\",\"GPU=zero\",\"DRIVER=common\"]", spec.at("/process/env").toString());
        assertEquals("[44]", spec.at("/process/user/additionalGids").toString());
        assertEquals("/dev/gpu0", spec.at("/linux/devices/0/path").asString());
        assertEquals(1, spec.at("/linux/devices/0/major").asInt());
        assertEquals(3, spec.at("/linux/devices/0/minor").asInt());
        assertEquals(7, spec.at("/linux/devices/0/uid").asInt());
        assertEquals("rw", spec.at("/linux/resources/devices/0/access").asString());
        assertEquals("/vendor", spec.at("/mounts/0/destination").asString());
        assertEquals("/bin/hook", spec.at("/hooks/createContainer/0/path").asString());
    }

    @Test
    void yamlIsReadAndTheLaterDirectoryWins() throws Exception {
        Files.writeString(low.resolve("gpu.json"), GPU);
        Files.writeString(high.resolve("gpu.yaml"), """
                cdiVersion: "0.3.0"
                kind: vendor.com/gpu
                devices:
                - name: "0"
                  containerEdits:
                    env: ["GPU=newer"]
                """);
        inject("vendor.com/gpu=0");
        assertTrue(spec.at("/process/env").toString().contains("GPU=newer"));
    }

    @Test
    void anUnknownDeviceIsNamedTogetherWithAFileThatCannotBeRead() throws Exception {
        Files.writeString(low.resolve("broken.json"), "{");
        RuntimeFault fault = assertThrows(RuntimeFault.class, () -> inject("vendor.com/gpu=9"));
        assertEquals(RuntimeFault.Kind.FAILED_PRECONDITION, fault.kind());
        assertTrue(fault.getMessage().contains("vendor.com/gpu=9") && fault.getMessage().contains("broken.json"),
                fault.getMessage());
    }

    @Test
    void aDeviceThatTwoFilesOfADirectoryDescribeIsRefused() throws Exception {
        Files.writeString(low.resolve("a.json"), GPU);
        Files.writeString(low.resolve("b.json"), GPU);
        RuntimeFault fault = assertThrows(RuntimeFault.class, () -> inject("vendor.com/gpu=0"));
        assertTrue(fault.getMessage().contains("a.json") && fault.getMessage().contains("b.json"), fault.getMessage());
    }

    @Test
    void aMalformedNameIsRefused() {
        assertEquals(RuntimeFault.Kind.INVALID_ARGUMENT,
                assertThrows(RuntimeFault.class, () -> inject("gpu0")).kind());
    }
}
