package io.berth.network.cni;

import io.berth.base.RuntimeFault;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * Runs the plugins of one network for one sandbox, verb by verb. Runs on platform threads; stateless.
 *
 * <p>Source: the CNI specification, section 3, "Execution of network configurations".
 */
final class CniChain {

    private final CniSettings settings;
    private final CniConfiguration configuration;

    CniChain(CniSettings settings, CniConfiguration configuration) {
        this.settings = settings;
        this.configuration = configuration;
    }

    /** ADD of all plugins in order, each given the result of the one before; the last result. */
    JsonNode add(CniRecord record, String interfaceName) {
        JsonNode result = CniConfiguration.JSON.nullNode();
        for (ObjectNode plugin : configuration.plugins()) {
            ObjectNode input = input(plugin, record.capabilities());
            previous(input, result);
            JsonNode answer = run("ADD", plugin, input, record, interfaceName, record.netns());
            // A chained plugin that changes nothing may answer nothing before 0.3.0.
            result = answer.isObject() ? answer : result;
        }
        if (!result.isObject()) {
            throw RuntimeFault.internal("run cni network " + configuration.name() + " ADD for sandbox "
                    + record.sandboxId() + ": no plugin answered a result", null);
        }
        return result;
    }

    /**
     * DEL of all plugins in reverse order. Each is run even when one before it failed, so that what can be given back is.
     *
     * @param netns empty when the namespace is gone
     */
    void delete(CniRecord record, CniRecord.Network network, String netns) {
        List<RuntimeFault> failures = new ArrayList<>();
        for (ObjectNode plugin : configuration.plugins().reversed()) {
            ObjectNode input = input(plugin, record.capabilities());
            if (configuration.version().hasCheck()) {
                previous(input, network.result());
            }
            try {
                run("DEL", plugin, input, record, network.interfaceName(), netns);
            } catch (RuntimeFault failure) {
                failures.add(failure);
            }
        }
        if (!failures.isEmpty()) {
            RuntimeFault first = failures.removeFirst();
            failures.forEach(first::addSuppressed);
            throw first;
        }
    }

    /** CHECK of all plugins in order; nothing where the version or the configuration has none. */
    void check(CniRecord record, CniRecord.Network network) {
        if (!configuration.version().hasCheck() || !configuration.checks()) {
            return;
        }
        for (ObjectNode plugin : configuration.plugins()) {
            ObjectNode input = input(plugin, record.capabilities());
            previous(input, network.result());
            run("CHECK", plugin, input, record, network.interfaceName(), record.netns());
        }
    }

    /** STATUS of all plugins: whether they can take an ADD; nothing where the version has none. */
    void status() {
        if (configuration.version().hasStatusAndGc()) {
            for (ObjectNode plugin : configuration.plugins()) {
                find(plugin).run("STATUS", environment("STATUS"), input(plugin, CniConfiguration.JSON.createObjectNode()));
            }
        }
    }

    /** GC: lets the plugins give back all that does not belong to one of {@code attached} sandboxes. */
    void collect(List<CniRecord> attached) {
        if (!configuration.version().hasStatusAndGc() || !configuration.collects()) {
            return;
        }
        for (ObjectNode plugin : configuration.plugins()) {
            ObjectNode input = input(plugin, CniConfiguration.JSON.createObjectNode());
            var valid = input.putArray("cni.dev/valid-attachments");
            for (CniRecord record : attached) {
                record.networks().stream()
                        .filter(network -> network.configuration().path("name").asString("").equals(configuration.name()))
                        .forEach(network -> valid.addObject()
                                .put("containerID", record.sandboxId()).put("ifname", network.interfaceName()));
            }
            find(plugin).run("GC", environment("GC"), input);
        }
    }

    /** Looks for all plugins. */
    void requirePlugins() {
        configuration.plugins().forEach(this::find);
    }

    private CniPlugin find(ObjectNode plugin) {
        return CniPlugin.find(CniConfiguration.type(plugin), settings.binDirs(), settings.pluginLimit());
    }

    private ObjectNode input(ObjectNode plugin, ObjectNode capabilities) {
        ObjectNode input = plugin.deepCopy();
        input.put("name", configuration.name()).put("cniVersion", configuration.version().text());
        ObjectNode chosen = CniConfiguration.JSON.createObjectNode();
        plugin.path("capabilities").properties().forEach(capability -> {
            if (capability.getValue().asBoolean(false) && capabilities.has(capability.getKey())) {
                chosen.set(capability.getKey(), capabilities.get(capability.getKey()));
            }
        });
        if (!chosen.isEmpty()) {
            input.set("runtimeConfig", chosen);
        }
        return input;
    }

    private void previous(ObjectNode input, JsonNode result) {
        if (result.isObject() && configuration.version().hasChains()) {
            input.set("prevResult", result);
        }
    }

    private JsonNode run(
            String verb, ObjectNode plugin, ObjectNode input, CniRecord record, String interfaceName, String netns) {
        Map<String, String> environment = environment(verb);
        environment.put("CNI_CONTAINERID", record.sandboxId());
        environment.put("CNI_NETNS", netns);
        environment.put("CNI_IFNAME", interfaceName);
        environment.put("CNI_ARGS", "IgnoreUnknown=1;K8S_POD_NAMESPACE=" + record.podNamespace()
                + ";K8S_POD_NAME=" + record.podName() + ";K8S_POD_INFRA_CONTAINER_ID=" + record.sandboxId()
                + ";K8S_POD_UID=" + record.podUid());
        return find(plugin).run(verb + " for sandbox " + record.sandboxId(), environment, input);
    }

    // The rest of our environment goes along, as with other runtimes: plugins run iptables and read proxy settings.
    private Map<String, String> environment(String verb) {
        Map<String, String> environment = new HashMap<>(System.getenv());
        environment.put("CNI_COMMAND", verb);
        environment.put("CNI_PATH", String.join(":", settings.binDirs().stream().map(Path::toString).toList()));
        return environment;
    }
}
