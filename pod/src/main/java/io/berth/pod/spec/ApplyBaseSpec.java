package io.berth.pod.spec;

import io.berth.runtime.BaseSpec;
import java.util.List;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collectors;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * Puts an operator's base specification under one that is written: what the request, the image and Berth decide wins, all
 * else is the base's. Variables count by name, limits of the process by type, devices by path, mounts by destination.
 */
final class ApplyBaseSpec {

    /** What Berth decides of every container, also by leaving it out. */
    private static final List<String> NOT_OF_BASE = List.of("root", "hostname", "domainname");
    private static final List<String> NOT_OF_BASE_LINUX = List.of("uidMappings", "gidMappings", "cgroupsPath", "namespaces",
            "maskedPaths", "readonlyPaths", "rootfsPropagation", "mountLabel");
    /**
     * A profile of AppArmor and labels of SELinux among them: where Berth gives none, the container is privileged or asks to
     * be unconfined, or the kernel could not apply any.
     */
    private static final List<String> NOT_OF_BASE_PROCESS = List.of("args", "terminal", "consoleSize", "cwd", "user",
            "capabilities", "noNewPrivileges", "oomScoreAdj", "apparmorProfile", "selinuxLabel");
    /** Objects that are one thing: half of one and half of another is neither. */
    private static final Set<String> WHOLE = Set.of("seccomp", "intelRdt");

    private final ObjectNode spec;
    private final ObjectNode base;

    private ApplyBaseSpec(ObjectNode spec, ObjectNode base) {
        this.spec = spec;
        this.base = base;
    }

    /** @param privileged whether the container is, which then has no seccomp profile of the base either */
    static void to(ObjectNode spec, BaseSpec base, boolean privileged) {
        ObjectNode copy = base.json().deepCopy();
        copy.remove(NOT_OF_BASE);
        copy.withObject("linux").remove(NOT_OF_BASE_LINUX);
        copy.withObject("process").remove(NOT_OF_BASE_PROCESS);
        if (privileged) {
            copy.withObject("linux").remove("seccomp");
        }
        if (copy.has("ociVersion")) {
            spec.set("ociVersion", copy.get("ociVersion"));
        }
        new ApplyBaseSpec(spec, copy).apply();
    }

    private void apply() {
        ObjectNode process = spec.withObject("process");
        ObjectNode baseProcess = base.withObject("process");
        beneath(process, baseProcess, "env", each -> each.asString("").replaceFirst("=.*", ""));
        // The base's limit is the operator's word against Berth's own.
        if (baseProcess.get("rlimits") instanceof ArrayNode limits) {
            ArrayNode merged = limits.deepCopy();
            addMissing(merged, process.path("rlimits"), each -> each.path("type").asString(""));
            process.set("rlimits", merged);
        }
        mounts();
        ObjectNode linux = spec.withObject("linux");
        ObjectNode baseLinux = base.withObject("linux");
        beneath(linux, baseLinux, "devices", each -> each.path("path").asString(""));
        // Berth's begin with a rule that denies everything; only what the base allows has a meaning after that.
        ArrayNode rules = linux.withObject("resources").withArray("devices");
        baseLinux.path("resources").path("devices").forEach(rule -> {
            if (rule.path("allow").asBoolean(false)) {
                rules.add(rule.deepCopy());
            }
        });
        fill(spec, base);
    }

    private void mounts() {
        if (!(base.get("mounts") instanceof ArrayNode wanted)) {
            return;
        }
        ArrayNode mounts = spec.withArray("mounts");
        for (JsonNode each : wanted) {
            int same = indexOf(mounts, each.path("destination").asString(""));
            if (same < 0) {
                // Before what the pod brings, which may lie inside of it.
                mounts.insert(firstBind(mounts), each.deepCopy());
            } else if (!isBind(mounts.get(same)) && mounts.get(same).path("type").equals(each.path("type"))) {
                mounts.set(same, each.deepCopy());
            }
        }
    }

    private static int indexOf(ArrayNode mounts, String destination) {
        for (int i = 0; i < mounts.size(); i++) {
            if (mounts.get(i).path("destination").asString("").equals(destination)) {
                return i;
            }
        }
        return -1;
    }

    private static int firstBind(ArrayNode mounts) {
        int index = 0;
        while (index < mounts.size() && !isBind(mounts.get(index))) {
            index++;
        }
        return index;
    }

    private static boolean isBind(JsonNode mount) {
        return mount.path("type").asString("").equals("bind");
    }

    // The base's elements first, but for those that are there under the same key.
    private static void beneath(ObjectNode spec, ObjectNode base, String name, Function<JsonNode, String> key) {
        if (base.get(name) instanceof ArrayNode elements) {
            ArrayNode own = spec.withArray(name);
            Set<String> taken = keys(own, key);
            int index = 0;
            for (JsonNode each : elements) {
                if (!taken.contains(key.apply(each))) {
                    own.insert(index++, each.deepCopy());
                }
            }
        }
    }

    private static void addMissing(ArrayNode target, JsonNode elements, Function<JsonNode, String> key) {
        Set<String> taken = keys(target, key);
        elements.forEach(each -> {
            if (!taken.contains(key.apply(each))) {
                target.add(each);
            }
        });
    }

    private static Set<String> keys(ArrayNode elements, Function<JsonNode, String> key) {
        return elements.valueStream().map(key).collect(Collectors.toSet());
    }

    private static void fill(ObjectNode own, ObjectNode base) {
        base.properties().forEach(entry -> {
            JsonNode present = own.get(entry.getKey());
            if (present == null) {
                own.set(entry.getKey(), entry.getValue().deepCopy());
            } else if (present instanceof ObjectNode inner && entry.getValue() instanceof ObjectNode other
                    && !WHOLE.contains(entry.getKey())) {
                fill(inner, other);
            }
        });
    }
}
