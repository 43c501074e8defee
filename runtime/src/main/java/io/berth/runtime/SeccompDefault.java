package io.berth.runtime;

import io.berth.base.RuntimeFault;
import java.io.IOException;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/**
 * The seccomp profile of containers that ask for RuntimeDefault: system calls that need no privilege are allowed, and with
 * a capability those that go with it; the rest fails with EPERM. The same calls as containerd's default profile.
 *
 * <p>Thread-safe. Source: OCI runtime-spec config-linux.md, "Seccomp"; seccomp(2).
 */
public final class SeccompDefault {

    private static final String ALLOW = "SCMP_ACT_ALLOW";
    private static final String ERRNO = "SCMP_ACT_ERRNO";
    private static final int ENOSYS = 38;
    private static final int AF_ALG = 38;
    private static final int AF_VSOCK = 40;
    /** All the CLONE_NEW* flags but CLONE_NEWTIME, which shares its bit with a signal number in clone(2). */
    private static final long CLONE_NAMESPACES = 0x7E020000L;
    private static final long[] PERSONALITIES = {0x0, 0x8, 0x20000, 0x20008, 0xffffffffL};
    private static final JsonNodeFactory JSON = JsonNodeFactory.instance;

    private final JsonNode lists;
    private final String architecture;

    private SeccompDefault(JsonNode lists, String architecture) {
        this.lists = lists;
        this.architecture = architecture;
    }

    /** Reads the lists that ship with Berth, for this machine's architecture. */
    public static SeccompDefault load() {
        try (var in = SeccompDefault.class.getResourceAsStream("seccomp-default.json")) {
            return new SeccompDefault(JsonMapper.shared().readTree(in), System.getProperty("os.arch"));
        } catch (IOException e) {
            throw RuntimeFault.internal("read the default seccomp profile: " + RuntimeFault.reason(e), e);
        }
    }

    /** The {@code linux.seccomp} object for a container with the bounding set {@code capabilities}. */
    public ObjectNode profile(Collection<String> capabilities) {
        ObjectNode profile = JSON.objectNode().put("defaultAction", ERRNO);
        ArrayNode architectures = profile.putArray("architectures");
        (architecture.equals("aarch64") ? List.of("SCMP_ARCH_ARM", "SCMP_ARCH_AARCH64")
                : List.of("SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32")).forEach(architectures::add);
        ArrayNode rules = profile.putArray("syscalls");
        Set<String> held = new HashSet<>(capabilities);
        ArrayNode names = rules.addObject().put("action", ALLOW).putArray("names");
        Set<String> allowed = new java.util.TreeSet<>();
        lists.get("allow").forEach(name -> allowed.add(name.asString()));
        lists.get("allowOnArchitecture").path(architecture).forEach(name -> allowed.add(name.asString()));
        lists.get("allowWithCapability").properties().stream().filter(entry -> held.contains(entry.getKey()))
                .forEach(entry -> entry.getValue().forEach(name -> allowed.add(name.asString())));
        allowed.forEach(names::add);
        // One comparison a rule: runtimes turn several on the same argument into alternatives.
        onlyWhere(rules, "socket", 0, AF_ALG, "SCMP_CMP_LT");
        onlyWhere(rules, "socket", 0, AF_ALG + 1, "SCMP_CMP_EQ");
        onlyWhere(rules, "socket", 0, AF_VSOCK, "SCMP_CMP_GT");
        for (long personality : PERSONALITIES) {
            onlyWhere(rules, "personality", 0, personality, "SCMP_CMP_EQ");
        }
        if (!held.contains("CAP_SYS_ADMIN")) {
            onlyWhere(rules, "clone", 0, CLONE_NAMESPACES, "SCMP_CMP_MASKED_EQ");
            // Its flags are behind a pointer; ENOSYS makes the C library fall back to clone.
            ObjectNode clone3 = rules.addObject().put("action", ERRNO).put("errnoRet", ENOSYS);
            clone3.putArray("names").add("clone3");
        }
        return profile;
    }

    private static void onlyWhere(ArrayNode rules, String name, int index, long value, String comparison) {
        ObjectNode rule = rules.addObject().put("action", ALLOW);
        rule.putArray("names").add(name);
        rule.putArray("args").addObject().put("index", index).put("value", value).put("valueTwo", 0).put("op", comparison);
    }
}
