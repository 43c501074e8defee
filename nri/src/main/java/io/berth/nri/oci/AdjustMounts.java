package io.berth.nri.oci;

import io.berth.base.RuntimeFault;
import io.berth.linux.Mounts;
import io.berth.nri.conflict.Removal;
import io.berth.nri.v1.Mount;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/** Mounts that plugins add, replace and remove. */
record AdjustMounts(ObjectNode spec) {

    private static final List<String> PROPAGATIONS = List.of("rprivate", "rslave", "rshared");

    void apply(List<Mount> wanted) {
        if (wanted.isEmpty()) {
            return;
        }
        ArrayNode all = spec.withArray("mounts");
        for (Mount mount : wanted) {
            Path target = target(Removal.key(mount.getDestination()));
            AdjustSpec.removeAll(all, each -> target(each.path("destination").asString("/")).equals(target));
            if (!Removal.isMarked(mount.getDestination())) {
                ObjectNode node = all.addObject().put("destination", mount.getDestination()).put("type", mount.getType())
                        .put("source", mount.getSource());
                mount.getOptionsList().forEach(node.putArray("options")::add);
                mount.getOptionsList().stream().filter(PROPAGATIONS::contains).forEach(each -> propagate(mount, each));
            }
        }
        sort(all);
    }

    private static Path target(String destination) {
        return Path.of("/", destination).normalize();
    }

    // A parent before what is mounted inside it; otherwise the order stays, which decides between equals.
    private static void sort(ArrayNode all) {
        List<JsonNode> sorted = new ArrayList<>();
        all.forEach(sorted::add);
        sorted.sort(Comparator.comparingInt(each -> target(each.path("destination").asString("/")).getNameCount()));
        all.removeAll();
        sorted.forEach(all::add);
    }

    private void propagate(Mount mount, String propagation) {
        if (propagation.equals("rprivate")) {
            return;
        }
        Path source = Path.of(mount.getSource());
        boolean shared = Mounts.table().stream().filter(each -> source.startsWith(each.target()))
                .reduce((a, b) -> b.target().getNameCount() >= a.target().getNameCount() ? b : a).orElseThrow()
                .options().stream().anyMatch(option -> option.startsWith("shared:")
                        || propagation.equals("rslave") && option.startsWith("master:"));
        if (!shared) {
            throw RuntimeFault.precondition("adjust container: an NRI plugin mounts " + source + " with " + propagation
                    + ", and it is not on a shared mount: run \"mount --make-rshared\" for its file system");
        }
        ObjectNode linux = spec.withObject("linux");
        String present = linux.path("rootfsPropagation").asString("rprivate");
        if (PROPAGATIONS.indexOf(propagation) > PROPAGATIONS.indexOf(present)) {
            linux.put("rootfsPropagation", propagation);
        }
    }
}
