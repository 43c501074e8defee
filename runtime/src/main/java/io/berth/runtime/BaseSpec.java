package io.berth.runtime;

import io.berth.base.RuntimeFault;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.function.Predicate;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/**
 * What a handler's specifications start from: an OCI specification of the operator's, as {@code runc spec} writes one. It
 * is read when the configuration is, so that a mistake in it stops the daemon's start and not a pod's.
 *
 * @param file where it was read from
 * @param json its content; never changed
 */
public record BaseSpec(Path file, ObjectNode json) {

    private static final long SIZE_LIMIT = 1 << 20;
    private static final Set<String> KNOWN = Set.of("ociVersion", "process", "root", "hostname", "domainname", "mounts", "hooks",
            "annotations", "linux", "vm");

    /**
     * Reads and checks {@code file}.
     *
     * @throws RuntimeFault INVALID_ARGUMENT for one that cannot be read or whose parts are not what they should be
     */
    public static BaseSpec read(Path file) {
        try {
            if (Files.size(file) > SIZE_LIMIT) {
                throw bad(file, "it is larger than " + SIZE_LIMIT + " bytes");
            }
            if (!(JsonMapper.shared().readTree(Files.readAllBytes(file)) instanceof ObjectNode json)) {
                throw bad(file, "it is not a JSON object");
            }
            check(file, json);
            return new BaseSpec(file, json);
        } catch (IOException e) {
            throw bad(file, RuntimeFault.reason(e));
        } catch (JacksonException e) {
            throw bad(file, "it is not JSON: " + e.getOriginalMessage());
        }
    }

    private static void check(Path file, ObjectNode json) {
        json.propertyNames().stream().filter(key -> !KNOWN.contains(key)).findFirst().ifPresent(key -> {
            throw bad(file, "there is no \"" + key + "\" in a specification for Linux");
        });
        for (String key : List.of("process", "root", "hooks", "annotations", "linux", "vm")) {
            require(file, key, json.path(key), JsonNode::isObject, "an object");
        }
        require(file, "ociVersion", json.path("ociVersion"), JsonNode::isString, "a string");
        json.path("annotations").properties().forEach(each ->
                require(file, "annotations." + each.getKey(), each.getValue(), JsonNode::isString, "a string"));
        JsonNode process = json.path("process");
        elements(file, "process.env", process.path("env"), each -> each.isString() && each.asString().indexOf('=') > 0,
                "NAME=VALUE");
        elements(file, "process.rlimits", process.path("rlimits"), each -> each.path("type").isString()
                && each.path("soft").canConvertToExactIntegral() && each.path("hard").canConvertToExactIntegral(),
                "an object with type, soft and hard");
        elements(file, "mounts", json.path("mounts"), each -> each.path("destination").asString("").startsWith("/"),
                "an object with an absolute destination");
        JsonNode linux = json.path("linux");
        for (String key : List.of("resources", "seccomp", "sysctl", "intelRdt")) {
            require(file, "linux." + key, linux.path(key), JsonNode::isObject, "an object");
        }
        elements(file, "linux.devices", linux.path("devices"), each -> each.path("path").asString("").startsWith("/"),
                "an object with an absolute path");
        elements(file, "linux.resources.devices", linux.path("resources").path("devices"), each -> each.path("allow").isBoolean(),
                "an object with allow");
    }

    private static void elements(Path file, String key, JsonNode value, Predicate<JsonNode> fits,
            String expected) {
        require(file, key, value, JsonNode::isArray, "a list");
        int index = 0;
        for (JsonNode each : value) {
            require(file, key + "[" + index++ + "]", each, fits, expected);
        }
    }

    private static void require(Path file, String key, JsonNode value, Predicate<JsonNode> fits,
            String expected) {
        if (!value.isMissingNode() && !fits.test(value)) {
            throw bad(file, key + " is not " + expected);
        }
    }

    private static RuntimeFault bad(Path file, String reason) {
        return RuntimeFault.invalid("read base specification " + file + ": " + reason
                + ": \"runc spec\" writes one to start from");
    }
}
