package io.berth.pod.spec;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.berth.runtime.BaseSpec;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

class ApplyBaseSpecTest {

    private static ObjectNode json(String text) {
        return (ObjectNode) JsonMapper.shared().readTree(text.replace('\'', '"'));
    }

    private static ObjectNode applied(String spec, String base, boolean privileged) {
        ObjectNode own = json(spec);
        ObjectNode given = json(base);
        ApplyBaseSpec.to(own, new BaseSpec(Path.of("/base.json"), given), privileged);
        assertEquals(json(base), given, "the base itself is not changed");
        return own;
    }

    @Test
    void variablesLimitsAndDevicesOfTheBaseAreAddedAndTheRequestsOwnStay() {
        ObjectNode spec = applied("{'process': {'args': ['own'], 'env': ['A=own', 'B=own'], 'rlimits': [{'type': 'N', 'hard': 1}]},"
                + "'linux': {'devices': [{'path': '/dev/a', 'major': 1}], 'resources': {'devices': [{'allow': false}], 'cpu': {'shares': 5}}}}",
                "{'process': {'args': ['base'], 'user': {'uid': 0}, 'env': ['A=base', 'C=base'], 'rlimits': [{'type': 'N', 'hard': 2},"
                + "{'type': 'M', 'hard': 3}], 'ioPriority': {'class': 'x'}}, 'linux': {'devices': [{'path': '/dev/a', 'major': 2},"
                + "{'path': '/dev/b'}], 'resources': {'devices': [{'allow': false}, {'allow': true, 'major': 9}],"
                + "'cpu': {'shares': 7, 'idle': 1}, 'pids': {'limit': 10}}}}", false);
        assertEquals(json("{'args': ['own'], 'env': ['C=base', 'A=own', 'B=own'], 'rlimits': [{'type': 'N', 'hard': 2},"
                + "{'type': 'M', 'hard': 3}], 'ioPriority': {'class': 'x'}}"), spec.get("process"));
        assertEquals(json("{'devices': [{'path': '/dev/b'}, {'path': '/dev/a', 'major': 1}], 'resources': {'devices':"
                + "[{'allow': false}, {'allow': true, 'major': 9}], 'cpu': {'shares': 5, 'idle': 1}, 'pids': {'limit': 10}}}"),
                spec.get("linux"));
    }

    @Test
    void mountsOfTheBaseComeBeforeThePodsOwnAndTakeNoPlaceOfOne() {
        ObjectNode spec = applied("{'mounts': [{'destination': '/dev', 'type': 'tmpfs', 'options': ['own']},"
                + "{'destination': '/data', 'type': 'bind', 'source': '/own'}]}",
                "{'mounts': [{'destination': '/dev', 'type': 'tmpfs', 'options': ['size=1m']}, {'destination': '/data',"
                + "'type': 'tmpfs'}, {'destination': '/tools', 'type': 'bind'}]}", false);
        assertEquals(json("{'m': [{'destination': '/dev', 'type': 'tmpfs', 'options': ['size=1m']}, {'destination': '/tools',"
                + "'type': 'bind'}, {'destination': '/data', 'type': 'bind', 'source': '/own'}]}").get("m"), spec.get("mounts"));
    }

    @Test
    void whatIsolatesAContainerIsNotTheBasesToSay() {
        ObjectNode spec = applied("{'root': {'path': '/own'}, 'linux': {'seccomp': {'defaultAction': 'own'}, 'namespaces': []}}",
                "{'ociVersion': '1.0.1', 'root': {'path': '/'}, 'hostname': 'x', 'linux': {'namespaces': [{'type': 'pid'}],"
                + "'cgroupsPath': '/x', 'uidMappings': [], 'maskedPaths': ['/x'], 'seccomp': {'defaultAction': 'base', 'syscalls': []}}}",
                false);
        assertEquals(json("{'defaultAction': 'own'}"), spec.get("linux").get("seccomp"));
        assertEquals(json("{'l': []}").get("l"), spec.get("linux").get("namespaces"));
        assertEquals("/own", spec.get("root").get("path").asString());
        assertEquals("1.0.1", spec.get("ociVersion").asString());
        for (String absent : new String[] {"cgroupsPath", "uidMappings", "maskedPaths"}) {
            assertEquals(false, spec.get("linux").has(absent), absent);
        }
        assertEquals(false, spec.has("hostname"));
    }

    @Test
    void theBasesSeccompProfileHoldsWhereThePodAsksForNoneButNotForPrivilegedContainers() {
        String base = "{'linux': {'seccomp': {'defaultAction': 'base'}}}";
        assertEquals("base", applied("{}", base, false).path("linux").path("seccomp").path("defaultAction").asString(""));
        assertEquals("", applied("{}", base, true).path("linux").path("seccomp").path("defaultAction").asString(""));
    }

    @Test
    void profilesAndLabelsThatBerthLeavesOutAreNotTheBasesToGive() {
        String base = "{'process': {'apparmorProfile': 'base', 'selinuxLabel': 'base', 'ioPriority': {'class': 'x'}},"
                + "'linux': {'mountLabel': 'base'}}";
        for (boolean privileged : new boolean[] {true, false}) {
            ObjectNode spec = applied("{'process': {}}", base, privileged);
            assertEquals(json("{'ioPriority': {'class': 'x'}}"), spec.get("process"));
            assertEquals(false, spec.path("linux").has("mountLabel"));
        }
        ObjectNode own = applied("{'process': {'apparmorProfile': 'own', 'selinuxLabel': 'own'}, 'linux': {'mountLabel': 'own'}}",
                base, false);
        assertEquals("own", own.path("process").path("apparmorProfile").asString(""));
        assertEquals("own", own.path("process").path("selinuxLabel").asString(""));
        assertEquals("own", own.path("linux").path("mountLabel").asString(""));
    }
}
