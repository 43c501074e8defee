package io.berth.pod.ocihook;

import io.berth.base.RuntimeFault;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/**
 * One file of a hooks directory.
 *
 * @param hook as the container's specification takes it
 * @param stages when it runs
 */
record HookFile(Path file, ObjectNode hook, HookConditions conditions, List<String> stages) {

    private static final String VERSION = "1.0.0";
    private static final long SIZE_LIMIT = 1 << 20;
    private static final Set<String> STAGES = Set.of("prestart", "createRuntime", "createContainer", "startContainer",
            "poststart", "poststop");

    static HookFile read(Path file) {
        try {
            if (Files.size(file) > SIZE_LIMIT) {
                throw bad(file, "it is larger than " + SIZE_LIMIT + " bytes");
            }
            return parse(file, JsonMapper.shared().readTree(Files.readAllBytes(file)));
        } catch (IOException e) {
            throw bad(file, "it cannot be read (" + e.getClass().getSimpleName() + ")");
        } catch (JacksonException e) {
            throw bad(file, e.getOriginalMessage());
        }
    }

    /** Adds the hook to a specification at all its stages. */
    void inject(ObjectNode spec) {
        Path program = Path.of(hook.path("path").asString());
        // At the one stage that is left out the path is the container's own.
        if (stages.stream().anyMatch(stage -> !stage.equals("startContainer")) && !Files.isExecutable(program)) {
            throw bad(file, "there is no program " + program);
        }
        stages.forEach(stage -> spec.withObject("hooks").withArray(stage).add(hook.deepCopy()));
    }

    private static HookFile parse(Path file, JsonNode root) {
        String version = root.path("version").asString("");
        if (!version.equals(VERSION)) {
            throw bad(file, "its version is \"" + version + "\", and only \"" + VERSION + "\" is known");
        }
        List<String> stages = List.copyOf(new LinkedHashSet<>(texts(file, root, "stages")));
        if (stages.isEmpty() || !STAGES.containsAll(stages)) {
            throw bad(file, "its stages are " + stages + ", and some of " + STAGES.stream().sorted().toList() + " are needed");
        }
        return new HookFile(file, hook(file, root.path("hook")), HookConditions.parse(file, root.path("when")), stages);
    }

    private static ObjectNode hook(Path file, JsonNode wanted) {
        String path = wanted.path("path").asString("");
        if (!path.startsWith("/")) {
            throw bad(file, "hook.path \"" + path + "\" is not an absolute path");
        }
        ObjectNode hook = JsonNodeFactory.instance.objectNode().put("path", path);
        if (wanted.has("args")) {
            texts(file, wanted, "args").forEach(hook.putArray("args")::add);
        }
        if (wanted.has("env")) {
            texts(file, wanted, "env").forEach(hook.putArray("env")::add);
        }
        if (wanted.has("timeout")) {
            int seconds = wanted.path("timeout").isInt() ? wanted.path("timeout").asInt() : 0;
            if (seconds <= 0) {
                throw bad(file, "hook.timeout is " + wanted.path("timeout") + ", and seconds above 0 are needed");
            }
            hook.put("timeout", seconds);
        }
        return hook;
    }

    static List<String> texts(Path file, JsonNode object, String key) {
        JsonNode array = object.path(key);
        List<String> texts = new ArrayList<>();
        for (JsonNode each : array) {
            if (!array.isArray() || !each.isString()) {
                throw bad(file, key + " is not a list of strings");
            }
            texts.add(each.asString());
        }
        if (!array.isMissingNode() && !array.isArray()) {
            throw bad(file, key + " is not a list of strings");
        }
        return texts;
    }

    static RuntimeFault bad(Path file, String reason) {
        return RuntimeFault.precondition("read hook file " + file + ": " + reason + ": correct the file or remove it");
    }
}
