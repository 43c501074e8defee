package io.berth.network.cni;

import io.berth.base.RuntimeFault;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/**
 * One network: a list of plugins that are run in order. Immutable; the JSON inside is not changed by anyone.
 *
 * <p>Source: the CNI specification, section 1, "Network configuration format".
 *
 * @param name of the network
 * @param version the specification's version that plugins are spoken to in
 * @param plugins their configurations in order, at least one
 * @param checks whether CHECK may be used
 * @param collects whether GC may be used
 */
record CniConfiguration(String name, CniVersion version, List<ObjectNode> plugins, boolean checks, boolean collects) {

    static final JsonMapper JSON = JsonMapper.builder().build();
    private static final Pattern NAME = Pattern.compile("[a-zA-Z0-9][a-zA-Z0-9_.\\-]*");

    /**
     * Reads a configuration list, or a single plugin's configuration as a list of one.
     *
     * @throws RuntimeFault FAILED_PRECONDITION with the reason when it is neither
     */
    static CniConfiguration parse(String json) {
        JsonNode root;
        try {
            root = JSON.readTree(json);
        } catch (JacksonException e) {
            throw RuntimeFault.precondition("not JSON: " + e.getOriginalMessage()
                    + " at line " + e.getLocation().getLineNr());
        }
        if (!(root instanceof ObjectNode object)) {
            throw RuntimeFault.precondition("not a JSON object");
        }
        String name = object.path("name").asString("");
        if (!NAME.matcher(name).matches()) {
            throw RuntimeFault.precondition(name.isEmpty() ? "\"name\" is missing"
                    : "\"name\" " + name + " has other characters than letters, digits and _ . -");
        }
        return new CniConfiguration(name, version(object), plugins(object), !object.path("disableCheck").asBoolean(false),
                !object.path("disableGC").asBoolean(false));
    }

    private static CniVersion version(ObjectNode object) {
        Set<String> offered = new LinkedHashSet<>();
        object.path("cniVersions").forEach(one -> offered.add(one.asString("")));
        String single = object.path("cniVersion").asString("");
        if (!single.isEmpty()) {
            offered.add(single);
        }
        return offered.isEmpty() ? CniVersion.OLDEST : CniVersion.newestOf(offered);
    }

    private static List<ObjectNode> plugins(ObjectNode object) {
        List<ObjectNode> found = new ArrayList<>();
        if (!object.has("plugins")) {
            found.add(object);
        }
        object.path("plugins").forEach(one -> {
            if (!(one instanceof ObjectNode plugin)) {
                throw RuntimeFault.precondition("an entry of \"plugins\" is not a JSON object");
            }
            found.add(plugin);
        });
        if (found.isEmpty()) {
            throw RuntimeFault.precondition("\"plugins\" is empty");
        }
        found.forEach(CniConfiguration::requireType);
        return List.copyOf(found);
    }

    // The type becomes a file name in the plugin directories: nothing else may come of it.
    private static void requireType(ObjectNode plugin) {
        String type = plugin.path("type").asString("");
        if (type.isEmpty() || type.contains("/") || type.equals(".") || type.equals("..")) {
            throw RuntimeFault.precondition(type.isEmpty() ? "a plugin has no \"type\""
                    : "plugin type \"" + type + "\" is not a file name");
        }
    }

    static String type(ObjectNode plugin) {
        return plugin.path("type").asString("");
    }

    /** This configuration as a list, for the record of an attachment. */
    ObjectNode toJson() {
        ObjectNode list = JSON.createObjectNode()
                .put("cniVersion", version.text())
                .put("name", name)
                .put("disableCheck", !checks)
                .put("disableGC", !collects);
        plugins.forEach(list.putArray("plugins")::add);
        return list;
    }
}
