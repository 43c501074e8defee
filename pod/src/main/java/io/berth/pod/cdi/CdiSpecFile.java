package io.berth.pod.cdi;

import io.berth.base.RuntimeFault;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.ObjectMapper;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.dataformat.yaml.YAMLMapper;

/**
 * One vendor's file.
 *
 * @param kind vendor and class of its devices
 * @param devices what each device adds to a container
 * @param common what every device of the file adds
 */
record CdiSpecFile(Path file, String kind, Map<String, JsonNode> devices, JsonNode common) {

    private static final long SIZE_LIMIT = 16 << 20;
    private static final Set<String> VERSIONS = Set.of("0.1.0", "0.2.0", "0.3.0", "0.4.0", "0.5.0", "0.6.0", "0.7.0",
            "0.8.0", "1.0.0", "1.1.0");

    static CdiSpecFile read(Path file) {
        try {
            if (Files.size(file) > SIZE_LIMIT) {
                throw bad(file, "it is larger than " + SIZE_LIMIT + " bytes");
            }
            ObjectMapper mapper = file.toString().endsWith(".json") ? JsonMapper.shared() : new YAMLMapper();
            return parse(file, mapper.readTree(Files.readAllBytes(file)));
        } catch (IOException e) {
            throw bad(file, RuntimeFault.reason(e));
        } catch (JacksonException e) {
            throw bad(file, e.getOriginalMessage());
        }
    }

    private static CdiSpecFile parse(Path file, JsonNode root) {
        String version = root.path("cdiVersion").asString("");
        if (!VERSIONS.contains(version)) {
            throw bad(file, "cdiVersion \"" + version + "\" is not known");
        }
        String kind = root.path("kind").asString("");
        if (!CdiDevice.isKind(kind)) {
            throw bad(file, "kind \"" + kind + "\" is not of the form vendor.com/class");
        }
        Map<String, JsonNode> devices = new LinkedHashMap<>();
        for (JsonNode device : root.path("devices")) {
            String name = device.path("name").asString("");
            if (!CdiDevice.isName(name)) {
                throw bad(file, "device name \"" + name + "\" is not allowed");
            }
            if (devices.put(name, device.path("containerEdits")) != null) {
                throw bad(file, "device " + name + " is there twice");
            }
        }
        return new CdiSpecFile(file, kind, devices, root.path("containerEdits"));
    }

    private static RuntimeFault bad(Path file, String reason) {
        return RuntimeFault.precondition("read CDI file " + file + ": " + reason);
    }
}
