package io.berth.pod.blockio;

import io.berth.base.RuntimeFault;
import io.berth.linux.DeviceNode;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/**
 * One class of the file as the OCI specification wants it: devices by number, sizes in bytes a second.
 *
 * @param what names the class and its file in messages
 */
record BlockioLimits(String what) {

    private static final Map<String, String> THROTTLES = Map.of("ThrottleReadBps", "throttleReadBpsDevice",
            "ThrottleWriteBps", "throttleWriteBpsDevice", "ThrottleReadIOPS", "throttleReadIOPSDevice",
            "ThrottleWriteIOPS", "throttleWriteIOPSDevice");
    private static final Set<String> KEYS = Set.of("Weight", "Devices", "ThrottleReadBps", "ThrottleWriteBps",
            "ThrottleReadIOPS", "ThrottleWriteIOPS");
    private static final Pattern QUANTITY = Pattern.compile("([0-9]{1,15})([kMGT]?i?)");

    ObjectNode write(JsonNode parts) {
        ObjectNode limits = JsonNodeFactory.instance.objectNode();
        for (JsonNode part : parts) {
            part.propertyNames().stream().filter(key -> !KEYS.contains(key)).findFirst().ifPresent(key -> {
                throw bad("there is no key " + key + ", only " + KEYS.stream().sorted().toList());
            });
            List<DeviceNode> devices = devices(part.path("Devices"));
            Optional<Long> weight = quantity(part, "Weight");
            if (weight.isPresent() && part.path("Devices").isMissingNode()) {
                limits.put("weight", weight.get());
            }
            weight.ifPresent(value -> devices.forEach(device -> limits.withArray("weightDevice").addObject()
                    .put("major", device.major()).put("minor", device.minor()).put("weight", value)));
            THROTTLES.forEach((key, name) -> quantity(part, key).ifPresent(rate -> devices.forEach(device ->
                    limits.withArray(name).addObject().put("major", device.major()).put("minor", device.minor())
                            .put("rate", rate))));
        }
        return limits;
    }

    private Optional<Long> quantity(JsonNode part, String key) {
        if (!part.has(key)) {
            return Optional.empty();
        }
        Matcher text = QUANTITY.matcher(part.get(key).asString());
        if (!text.matches()) {
            throw bad(key + " \"" + part.get(key).asString() + "\" is not a number such as 500, 60M or 1Gi");
        }
        long base = text.group(2).endsWith("i") ? 1024 : 1000;
        long power = text.group(2).isEmpty() ? 0 : "kMGT".indexOf(text.group(2).charAt(0)) + 1;
        long value = Long.parseLong(text.group(1));
        for (long i = 0; i < power; i++) {
            value = Math.multiplyExact(value, base);
        }
        return Optional.of(value);
    }

    // A pattern that fits no device of this node is fine: one file serves different machines.
    private List<DeviceNode> devices(JsonNode patterns) {
        List<DeviceNode> devices = new ArrayList<>();
        for (JsonNode pattern : patterns) {
            Path path = Path.of(pattern.asString());
            if (!path.isAbsolute() || path.getFileName() == null) {
                throw bad("device \"" + path + "\" is not an absolute path");
            }
            if (!Files.isDirectory(path.getParent())) {
                continue;
            }
            try (DirectoryStream<Path> found = Files.newDirectoryStream(path.getParent(), path.getFileName().toString())) {
                for (Path each : found) {
                    DeviceNode.at(each.toRealPath()).filter(node -> node.type().equals("b")).ifPresent(devices::add);
                }
            } catch (IOException e) {
                throw bad("look for devices " + path + ": " + RuntimeFault.reason(e));
            }
        }
        return devices;
    }

    private RuntimeFault bad(String reason) {
        return RuntimeFault.precondition("use block I/O " + what + ": " + reason);
    }
}
