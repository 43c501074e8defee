package io.berth.pod.cdi;

import io.berth.base.RuntimeFault;
import io.berth.linux.DeviceNode;
import java.nio.file.Path;
import java.util.Set;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/** Applies {@code containerEdits} of CDI files to an OCI specification. Source: CDI SPEC.md, "OCI Edits". */
record ContainerEdits(ObjectNode spec) {

    private static final Set<String> HOOKS = Set.of("prestart", "createRuntime", "createContainer", "startContainer",
            "poststart", "poststop");

    void apply(JsonNode edits) {
        edits.path("env").forEach(entry -> environment(entry.asString()));
        edits.path("deviceNodes").forEach(this::device);
        edits.path("mounts").forEach(this::mount);
        edits.path("hooks").forEach(this::hook);
        edits.path("additionalGids").forEach(group -> {
            if (group.asLong() != 0) {
                process().withObject("user").withArray("additionalGids").add(group.asLong());
            }
        });
        JsonNode rdt = edits.path("intelRdt");
        if (rdt.isObject()) {
            spec.withObject("linux").set("intelRdt", rdt.deepCopy());
        }
    }

    private ObjectNode process() {
        return spec.withObject("process");
    }

    private void environment(String entry) {
        String name = entry.substring(0, Math.max(0, entry.indexOf('=')) + 1);
        if (name.length() < 2) {
            throw RuntimeFault.precondition("apply CDI edits: environment entry \"" + entry + "\" is not NAME=VALUE");
        }
        ArrayNode all = process().withArray("env");
        for (int i = 0; i < all.size(); i++) {
            if (all.get(i).asString().startsWith(name)) {
                all.set(i, entry);
                return;
            }
        }
        all.add(entry);
    }

    private void device(JsonNode wanted) {
        String path = wanted.path("path").asString("");
        String hostPath = wanted.path("hostPath").asString(path);
        DeviceNode host = DeviceNode.at(Path.of(hostPath.isEmpty() ? path : hostPath)).orElse(null);
        if (host == null && !(wanted.has("type") && wanted.has("major"))) {
            throw RuntimeFault.precondition("apply CDI edits: there is no device node " + hostPath + " on this node");
        }
        String type = wanted.path("type").asString(host == null ? "" : host.type());
        long major = wanted.path("major").asLong(host == null ? 0 : host.major());
        long minor = wanted.path("minor").asLong(host == null ? 0 : host.minor());
        ObjectNode node = spec.withObject("linux").withArray("devices").addObject().put("path", path).put("type", type)
                .put("major", major).put("minor", minor)
                .put("fileMode", wanted.path("fileMode").asInt(host == null ? 0666 : host.mode()));
        // Unless the file says otherwise the device belongs to the container's user, who is to use it.
        JsonNode user = process().path("user");
        node.put("uid", wanted.path("uid").asLong(user.path("uid").asLong(0)));
        node.put("gid", wanted.path("gid").asLong(user.path("gid").asLong(0)));
        if (type.equals("c") || type.equals("b")) {
            spec.withObject("linux").withObject("resources").withArray("devices").addObject().put("allow", true)
                    .put("type", type).put("major", major).put("minor", minor)
                    .put("access", wanted.path("permissions").asString("rwm"));
        }
    }

    private void mount(JsonNode wanted) {
        ObjectNode mount = spec.withArray("mounts").addObject().put("destination", wanted.path("containerPath").asString(""))
                .put("source", wanted.path("hostPath").asString("")).put("type", wanted.path("type").asString("bind"));
        ArrayNode options = mount.putArray("options");
        if (wanted.path("options").isEmpty()) {
            options.add("rbind").add("ro");
        }
        wanted.path("options").forEach(options::add);
    }

    private void hook(JsonNode wanted) {
        String name = wanted.path("hookName").asString("");
        if (!HOOKS.contains(name)) {
            throw RuntimeFault.precondition("apply CDI edits: there is no hook \"" + name + "\"");
        }
        ObjectNode hook = spec.withObject("hooks").withArray(name).addObject().put("path", wanted.path("path").asString(""));
        wanted.path("args").forEach(argument -> hook.withArray("args").add(argument.asString()));
        wanted.path("env").forEach(entry -> hook.withArray("env").add(entry.asString()));
        if (wanted.path("timeout").asInt(0) > 0) {
            hook.put("timeout", wanted.path("timeout").asInt(0));
        }
    }
}
