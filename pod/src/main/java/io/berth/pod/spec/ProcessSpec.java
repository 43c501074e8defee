package io.berth.pod.spec;

import io.berth.base.RuntimeFault;
import io.berth.cri.v1.Capability;
import io.berth.cri.v1.ContainerConfig;
import io.berth.cri.v1.KeyValue;
import io.berth.pod.record.Container;
import io.berth.runtime.Capabilities;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/** The {@code process} object: program, environment, user, capabilities, limits of the process. */
final class ProcessSpec {

    private static final String DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

    private final SpecSettings settings;

    ProcessSpec(SpecSettings settings) {
        this.settings = settings;
    }

    ObjectNode write(SpecRequest request) {
        ContainerConfig config = request.config();
        ObjectNode process = JsonNodeFactory.instance.objectNode();
        process.put("terminal", config.getTty());
        arguments(request).forEach(process.putArray("args")::add);
        environment(request).forEach((name, value) -> process.withArray("env").add(name + "=" + value));
        String directory = config.getWorkingDir().isEmpty() ? request.image().workingDir() : config.getWorkingDir();
        process.put("cwd", WorkingDirectory.of(config.getMetadata().getName(), directory));
        process.set("user", user(request.user()));
        capabilities(request, process.putObject("capabilities"));
        process.put("noNewPrivileges", request.security().getNoNewPrivs());
        ObjectNode files = process.putArray("rlimits").addObject();
        files.put("type", "RLIMIT_NOFILE").put("soft", 1_048_576).put("hard", 1_048_576);
        fitToOwnLimit(files);
        process.put("oomScoreAdj", oomScore(config.getLinux().getResources().getOomScoreAdj()));
        return process;
    }

    /** What the container runs: the CRI's command and arguments, or the image's where they are not given. */
    private static List<String> arguments(SpecRequest request) {
        List<String> command = request.config().getCommandList();
        List<String> arguments = new ArrayList<>(request.config().getArgsList());
        if (command.isEmpty()) {
            command = request.image().entrypoint();
            if (arguments.isEmpty()) {
                arguments.addAll(request.image().cmd());
            }
        }
        arguments.addAll(0, command);
        if (arguments.isEmpty() || arguments.getFirst().isEmpty()) {
            throw RuntimeFault.invalid("create container " + request.config().getMetadata().getName()
                    + ": neither the request nor the image names a program: give a command");
        }
        return arguments;
    }

    private static Map<String, String> environment(SpecRequest request) {
        Map<String, String> variables = new LinkedHashMap<>();
        variables.put("PATH", DEFAULT_PATH);
        if (request.config().getTty()) {
            variables.put("TERM", "xterm");
        }
        // On the host's network the name would be the node's; the pod's own hostname is what programs expect.
        String hostname = request.sandbox().config().getHostname();
        if (!hostname.isEmpty()) {
            variables.put("HOSTNAME", hostname);
        }
        request.image().env().forEach(entry -> put(variables, entry));
        for (KeyValue entry : request.config().getEnvsList()) {
            // The specification is JSON: bytes that are not UTF-8 become the replacement character, as with the peers.
            variables.put(entry.getKey(), entry.getValue().toStringUtf8());
        }
        request.home().ifPresent(home -> variables.putIfAbsent("HOME", home));
        return variables;
    }

    private static void put(Map<String, String> variables, String entry) {
        int equals = entry.indexOf('=');
        if (equals > 0) {
            variables.put(entry.substring(0, equals), entry.substring(equals + 1));
        }
    }

    static ObjectNode user(Container.User user) {
        ObjectNode node = JsonNodeFactory.instance.objectNode().put("uid", user.uid()).put("gid", user.gid());
        user.groups().forEach(node.putArray("additionalGids")::add);
        return node;
    }

    private static void capabilities(SpecRequest request, ObjectNode sets) {
        Set<String> held = held(request);
        for (String set : List.of("bounding", "effective", "permitted")) {
            held.forEach(sets.putArray(set)::add);
        }
        // Inheritable stays empty (CVE-2022-24769); ambient capabilities have to be inheritable as well.
        ArrayNode inheritable = sets.putArray("inheritable");
        ArrayNode ambient = sets.putArray("ambient");
        for (String name : request.security().getCapabilities().getAddAmbientCapabilitiesList()) {
            String capability = Capabilities.named(name);
            if (held.contains(capability)) {
                inheritable.add(capability);
                ambient.add(capability);
            }
        }
    }

    /** The capabilities of the container, which also decide what the seccomp profile allows. */
    static Set<String> held(SpecRequest request) {
        List<String> available = Capabilities.available().stream().filter(request.runtime()::knowsCapability).toList();
        if (request.privileged()) {
            return new LinkedHashSet<>(available);
        }
        Capability asked = request.security().getCapabilities();
        Set<String> held = new LinkedHashSet<>(Capabilities.DEFAULT);
        if (asked.getAddCapabilitiesList().stream().anyMatch("ALL"::equalsIgnoreCase)) {
            held.addAll(available);
        }
        if (asked.getDropCapabilitiesList().stream().anyMatch("ALL"::equalsIgnoreCase)) {
            held.clear();
        }
        asked.getAddCapabilitiesList().stream().filter(name -> !name.equalsIgnoreCase("ALL"))
                .map(Capabilities::named).forEach(held::add);
        asked.getAddAmbientCapabilitiesList().stream().filter(name -> !name.equalsIgnoreCase("ALL"))
                .map(Capabilities::named).forEach(held::add);
        asked.getDropCapabilitiesList().stream().filter(name -> !name.equalsIgnoreCase("ALL"))
                .map(Capabilities::named).forEach(held::remove);
        held.retainAll(available);
        return held;
    }

    private static void fitToOwnLimit(ObjectNode limit) {
        try {
            // "Max open files  soft  hard  files"
            String[] own = Files.readAllLines(Path.of("/proc/self/limits")).stream()
                    .filter(line -> line.startsWith("Max open files")).findFirst().orElse("").split("\\s{2,}");
            if (own.length > 2 && own[2].matches("[0-9]{1,18}")) {
                long hard = Math.min(Long.parseLong(own[2]), limit.get("hard").asLong());
                limit.put("hard", hard).put("soft", hard);
            }
        } catch (IOException e) {
            throw RuntimeFault.internal("read own limits: " + RuntimeFault.reason(e), e);
        }
    }

    /** The score that can be had for one that is wanted. */
    long oomScore(long wanted) {
        if (!settings.restrictOomScoreAdj()) {
            return wanted;
        }
        try {
            return Math.max(wanted, Long.parseLong(Files.readString(Path.of("/proc/self/oom_score_adj")).strip()));
        } catch (IOException e) {
            throw RuntimeFault.internal("read own OOM score: " + RuntimeFault.reason(e), e);
        }
    }
}
