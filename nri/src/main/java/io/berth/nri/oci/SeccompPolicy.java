package io.berth.nri.oci;

import io.berth.nri.v1.LinuxSeccomp;
import io.berth.nri.v1.LinuxSyscall;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/** A plugin's seccomp policy, which takes the place of the container's own. */
final class SeccompPolicy {

    private SeccompPolicy() {}

    static ObjectNode json(LinuxSeccomp policy) {
        ObjectNode node = JsonNodeFactory.instance.objectNode().put("defaultAction", policy.getDefaultAction());
        if (policy.hasDefaultErrno()) {
            node.put("defaultErrnoRet", Integer.toUnsignedLong(policy.getDefaultErrno().getValue()));
        }
        policy.getArchitecturesList().forEach(each -> node.withArray("architectures").add(each));
        policy.getFlagsList().forEach(each -> node.withArray("flags").add(each));
        if (!policy.getListenerPath().isEmpty()) {
            node.put("listenerPath", policy.getListenerPath()).put("listenerMetadata", policy.getListenerMetadata());
        }
        for (LinuxSyscall each : policy.getSyscallsList()) {
            ObjectNode rule = node.withArray("syscalls").addObject();
            each.getNamesList().forEach(rule.putArray("names")::add);
            rule.put("action", each.getAction());
            if (each.hasErrnoRet()) {
                rule.put("errnoRet", Integer.toUnsignedLong(each.getErrnoRet().getValue()));
            }
            each.getArgsList().forEach(argument -> rule.withArray("args").addObject()
                    .put("index", Integer.toUnsignedLong(argument.getIndex()))
                    .put("value", AdjustSpec.unsigned(argument.getValue()))
                    .put("valueTwo", AdjustSpec.unsigned(argument.getValueTwo())).put("op", argument.getOp()));
        }
        return node;
    }
}
