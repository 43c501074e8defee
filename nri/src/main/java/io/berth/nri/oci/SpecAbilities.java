package io.berth.nri.oci;

import java.util.List;
import java.util.function.BiConsumer;
import java.util.function.Function;
import java.util.function.LongUnaryOperator;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * What the node around a specification can do.
 *
 * @param runtime the handler's name, for messages
 * @param features what the runtime's {@code features} prints, an empty object for a runtime that does not tell
 * @param unified whether the node has cgroup version 2
 * @param rdt whether the kernel's resource control is mounted
 * @param oomScore the score that can be had for one that is wanted
 * @param blockioClass the {@code blockIO} object of a class, or a fault where there is none
 * @param injectDevices adds CDI devices, by their names, to a specification
 */
public record SpecAbilities(String runtime, JsonNode features, boolean unified, boolean rdt, LongUnaryOperator oomScore,
        Function<String, ObjectNode> blockioClass, BiConsumer<List<String>, ObjectNode> injectDevices) {

    /**
     * Whether the runtime knows version {@code major.minor} of the specification: fields of a later version it would ignore
     * without a word.
     */
    boolean knows(int major, int minor) {
        String[] newest = features.path("ociVersionMax").asString("").split("[.-]");
        if (newest.length < 2 || !newest[0].matches("[0-9]{1,4}") || !newest[1].matches("[0-9]{1,4}")) {
            return false;
        }
        int has = Integer.parseInt(newest[0]);
        return has > major || has == major && Integer.parseInt(newest[1]) >= minor;
    }
}
