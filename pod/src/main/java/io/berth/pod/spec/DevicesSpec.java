package io.berth.pod.spec;

import io.berth.base.RuntimeFault;
import io.berth.cri.v1.Device;
import io.berth.linux.DeviceNode;
import io.berth.runtime.RuntimeHandler.Privileged;
import java.util.ArrayList;
import java.util.List;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/** Device nodes and which of them the container's cgroup may use. */
final class DevicesSpec {

    /** What the runtime makes in every container: null, zero, full, random, urandom, tty, console, ptmx, pts. */
    private static final int[][] STANDARD = {{1, 3}, {1, 5}, {1, 7}, {1, 8}, {1, 9}, {5, 0}, {5, 1}, {5, 2}, {136, -1}};

    void write(SpecRequest request, ArrayNode devices, ArrayNode rules) {
        boolean anyAllowed = request.privileged() && request.handler().privileged() != Privileged.NONE;
        if (anyAllowed) {
            rules.addObject().put("allow", true).put("access", "rwm");
            if (request.handler().privileged() == Privileged.HOST_DEVICES) {
                DeviceNode.below("/dev").forEach(node -> add(devices, node.path(), node));
            }
        } else {
            rules.addObject().put("allow", false).put("access", "rwm");
            for (int[] number : STANDARD) {
                ObjectNode rule = rules.addObject().put("allow", true).put("type", "c").put("major", number[0]);
                if (number[1] >= 0) {
                    rule.put("minor", number[1]);
                }
                rule.put("access", "rwm");
            }
        }
        for (Device wanted : request.config().getDevicesList()) {
            for (DeviceNode node : nodes(wanted)) {
                String path = wanted.getContainerPath().isEmpty() ? node.path()
                        : wanted.getContainerPath() + node.path().substring(realPath(wanted).length());
                add(devices, path, node);
                if (!anyAllowed) {
                    rules.addObject().put("allow", true).put("type", node.type()).put("major", node.major())
                            .put("minor", node.minor()).put("access", permissions(wanted));
                }
            }
        }
    }

    private static String realPath(Device wanted) {
        try {
            return java.nio.file.Path.of(wanted.getHostPath()).toRealPath().toString();
        } catch (java.io.IOException e) {
            throw RuntimeFault.invalid("add device " + wanted.getHostPath() + ": there is none on this node");
        }
    }

    // A directory stands for all device nodes below it, as with the peers.
    private static List<DeviceNode> nodes(Device wanted) {
        List<DeviceNode> nodes = new ArrayList<>(DeviceNode.below(realPath(wanted)));
        if (nodes.isEmpty()) {
            throw RuntimeFault.invalid("add device " + wanted.getHostPath() + ": it is not a device node");
        }
        return nodes;
    }

    private static String permissions(Device wanted) {
        String permissions = wanted.getPermissions().isEmpty() ? "rwm" : wanted.getPermissions();
        if (!permissions.matches("[rwm]{1,3}")) {
            throw RuntimeFault.invalid("add device " + wanted.getHostPath() + ": permissions \"" + permissions
                    + "\" are not made of r, w and m");
        }
        return permissions;
    }

    private static void add(ArrayNode devices, String path, DeviceNode node) {
        devices.addObject().put("path", path).put("type", node.type()).put("major", node.major())
                .put("minor", node.minor()).put("fileMode", node.mode()).put("uid", node.uid()).put("gid", node.gid());
    }
}
