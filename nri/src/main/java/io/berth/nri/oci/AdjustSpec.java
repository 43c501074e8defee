package io.berth.nri.oci;

import io.berth.base.RuntimeFault;
import io.berth.nri.conflict.Removal;
import io.berth.nri.v1.CDIDevice;
import io.berth.nri.v1.ContainerAdjustment;
import io.berth.nri.v1.Hook;
import io.berth.nri.v1.Hooks;
import io.berth.nri.v1.KeyValue;
import io.berth.nri.v1.LinuxContainerAdjustment;
import io.berth.nri.v1.LinuxDevice;
import io.berth.nri.v1.LinuxNamespace;
import io.berth.nri.v1.POSIXRlimit;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * Applies the adjustments of all plugins to a container's OCI specification. What the runtime or the node cannot do is
 * refused, never left out.
 */
public final class AdjustSpec {

    private final ObjectNode spec;
    private final ObjectNode process;
    private final ObjectNode linux;
    private final SpecAbilities abilities;

    public AdjustSpec(ObjectNode spec, SpecAbilities abilities) {
        this.spec = spec;
        this.process = spec.withObject("process");
        this.linux = spec.withObject("linux");
        this.abilities = abilities;
    }

    /** @throws RuntimeFault UNSUPPORTED or FAILED_PRECONDITION for what cannot be done here */
    public void apply(ContainerAdjustment wanted) {
        ObjectNode annotations = spec.withObject("annotations");
        entries(wanted.getAnnotationsMap(), annotations);
        environment(wanted.getEnvList());
        if (wanted.getArgsCount() > 0) {
            wanted.getArgsList().forEach(process.putArray("args")::add);
        }
        hooks(wanted.getHooks());
        if (wanted.getCDIDevicesCount() > 0) {
            abilities.injectDevices().accept(wanted.getCDIDevicesList().stream().map(CDIDevice::getName).toList(), spec);
        }
        if (wanted.hasLinux()) {
            linux(wanted.getLinux());
        }
        new AdjustMounts(spec).apply(wanted.getMountsList());
        rlimits(wanted.getRlimitsList());
    }

    private void linux(LinuxContainerAdjustment wanted) {
        devices(wanted.getDevicesList());
        if (!wanted.getCgroupsPath().isEmpty()) {
            linux.put("cgroupsPath", wanted.getCgroupsPath());
        }
        if (wanted.hasOomScoreAdj()) {
            process.put("oomScoreAdj", abilities.oomScore().applyAsLong(wanted.getOomScoreAdj().getValue()));
        }
        new AdjustScheduling(process, linux, abilities).apply(wanted);
        if (wanted.hasSeccompPolicy()) {
            linux.set("seccomp", SeccompPolicy.json(wanted.getSeccompPolicy()));
        }
        namespaces(wanted.getNamespacesList());
        if (wanted.getSysctlCount() > 0) {
            entries(wanted.getSysctlMap(), linux.withObject("sysctl"));
        }
        netDevices(wanted);
        if (wanted.hasResources()) {
            new AdjustResources(linux, abilities).apply(wanted.getResources());
        }
        if (wanted.hasRdt()) {
            new AdjustResources(linux, abilities).rdt(wanted.getRdt());
        }
    }

    private static void entries(Map<String, String> wanted, ObjectNode target) {
        wanted.forEach((key, value) -> {
            if (Removal.isMarked(key)) {
                target.remove(Removal.key(key));
            }
        });
        wanted.forEach((key, value) -> {
            if (!Removal.isMarked(key)) {
                target.put(key, value);
            }
        });
    }

    private void environment(List<KeyValue> wanted) {
        ArrayNode all = process.withArray("env");
        for (KeyValue entry : wanted) {
            String prefix = Removal.key(entry.getKey()) + "=";
            boolean removal = Removal.isMarked(entry.getKey());
            int at = index(all, each -> each.asString().startsWith(prefix));
            if (removal && at >= 0) {
                all.remove(at);
            } else if (!removal && at >= 0) {
                all.set(at, prefix + entry.getValue());
            } else if (!removal) {
                all.add(prefix + entry.getValue());
            }
        }
    }

    static int index(ArrayNode array, Predicate<JsonNode> test) {
        for (int i = 0; i < array.size(); i++) {
            if (test.test(array.get(i))) {
                return i;
            }
        }
        return -1;
    }

    static void removeAll(ArrayNode array, Predicate<JsonNode> test) {
        for (int at = index(array, test); at >= 0; at = index(array, test)) {
            array.remove(at);
        }
    }

    private void hooks(Hooks wanted) {
        hooks("prestart", wanted.getPrestartList());
        hooks("createRuntime", wanted.getCreateRuntimeList());
        hooks("createContainer", wanted.getCreateContainerList());
        hooks("startContainer", wanted.getStartContainerList());
        hooks("poststart", wanted.getPoststartList());
        hooks("poststop", wanted.getPoststopList());
    }

    private void hooks(String kind, List<Hook> wanted) {
        for (Hook hook : wanted) {
            ObjectNode node = spec.withObject("hooks").withArray(kind).addObject().put("path", hook.getPath());
            hook.getArgsList().forEach(each -> node.withArray("args").add(each));
            hook.getEnvList().forEach(each -> node.withArray("env").add(each));
            if (hook.hasTimeout()) {
                node.put("timeout", hook.getTimeout().getValue());
            }
        }
    }

    private void devices(List<LinuxDevice> wanted) {
        for (LinuxDevice device : wanted) {
            String path = Removal.key(device.getPath());
            removeAll(linux.withArray("devices"), each -> each.path("path").asString("").equals(path));
            if (Removal.isMarked(device.getPath())) {
                continue;
            }
            ObjectNode node = linux.withArray("devices").addObject().put("path", path).put("type", device.getType())
                    .put("major", device.getMajor()).put("minor", device.getMinor());
            if (device.hasFileMode()) {
                node.put("fileMode", Integer.toUnsignedLong(device.getFileMode().getValue()));
            }
            if (device.hasUid()) {
                node.put("uid", Integer.toUnsignedLong(device.getUid().getValue()));
            }
            if (device.hasGid()) {
                node.put("gid", Integer.toUnsignedLong(device.getGid().getValue()));
            }
            if (!device.getType().equals("p")) {
                linux.withObject("resources").withArray("devices").addObject().put("allow", true)
                        .put("type", device.getType().equals("u") ? "c" : device.getType()).put("major", device.getMajor())
                        .put("minor", device.getMinor()).put("access", access(device));
            }
        }
    }

    // What the owner may do with the node is what the group of the container may do with the device.
    private static String access(LinuxDevice device) {
        int mode = device.hasFileMode() ? device.getFileMode().getValue() : 0600;
        String access = ((mode & 0444) != 0 ? "r" : "") + ((mode & 0222) != 0 ? "w" : "");
        return access + "m";
    }

    private void namespaces(List<LinuxNamespace> wanted) {
        for (LinuxNamespace namespace : wanted) {
            ArrayNode all = linux.withArray("namespaces");
            removeAll(all, each -> each.path("type").asString("").equals(Removal.key(namespace.getType())));
            if (!Removal.isMarked(namespace.getType())) {
                ObjectNode node = all.addObject().put("type", namespace.getType());
                if (!namespace.getPath().isEmpty()) {
                    node.put("path", namespace.getPath());
                }
            }
        }
    }

    private void netDevices(LinuxContainerAdjustment wanted) {
        if (wanted.getNetDevicesCount() == 0) {
            return;
        }
        if (!abilities.features().path("linux").path("netDevices").path("enabled").asBoolean(false)) {
            throw unsupported(abilities, "network devices " + wanted.getNetDevicesMap().keySet());
        }
        ObjectNode target = linux.withObject("netDevices");
        wanted.getNetDevicesMap().forEach((key, device) -> {
            if (Removal.isMarked(key)) {
                target.remove(Removal.key(key));
            } else {
                ObjectNode node = target.putObject(key);
                if (!device.getName().isEmpty()) {
                    node.put("name", device.getName());
                }
            }
        });
    }

    static RuntimeFault unsupported(SpecAbilities abilities, String what) {
        return RuntimeFault.unsupported("adjust container: an NRI plugin sets " + what + ", which this version of runtime "
                + abilities.runtime() + " cannot do: use a newer one");
    }

    private void rlimits(List<POSIXRlimit> wanted) {
        for (POSIXRlimit limit : wanted) {
            ArrayNode all = process.withArray("rlimits");
            // Runtimes refuse a type that is there twice.
            removeAll(all, each -> each.path("type").asString("").equals(limit.getType()));
            all.addObject().put("type", limit.getType()).put("hard", unsigned(limit.getHard())).put("soft",
                    unsigned(limit.getSoft()));
        }
    }

    static java.math.BigInteger unsigned(long value) {
        return new java.math.BigInteger(Long.toUnsignedString(value));
    }
}
