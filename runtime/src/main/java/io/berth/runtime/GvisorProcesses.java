package io.berth.runtime;

import io.berth.linux.Signals;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;

/**
 * Processes behind gVisor's kernel. The node sees none of them: they are known by the numbers that they have there, and ended
 * by {@code runsc kill}. Stateless.
 *
 * <p>Source: runsc's commands {@code ps} and {@code kill}.
 *
 * @param runtime runsc
 */
record GvisorProcesses(OciRuntime runtime) {

    private static final Pattern SPACE = Pattern.compile("\\s+");

    /** Kills {@code pid} and what it started, as far as that can be seen. */
    void killTree(String containerId, int pid) {
        tree(runtime.processesInside(containerId), pid).forEach(each -> runtime.killInside(containerId, each, Signals.KILL));
    }

    /** The process {@code pid} and its descendants, parents first, in the table that {@code ps} has printed. */
    static List<Integer> tree(String table, int pid) {
        Map<Integer, List<Integer>> children = new HashMap<>();
        for (String line : table.lines().skip(1).toList()) {
            String[] columns = SPACE.split(line.strip(), 4);
            // The user, the process, its parent.
            if (columns.length == 4 && columns[1].matches("[0-9]{1,9}") && columns[2].matches("[0-9]{1,9}")) {
                children.computeIfAbsent(Integer.parseInt(columns[2]), parent -> new ArrayList<>())
                        .add(Integer.parseInt(columns[1]));
            }
        }
        List<Integer> tree = new ArrayList<>(List.of(pid));
        for (int i = 0; i < tree.size(); i++) {
            // The table comes from a kernel that the container may have taken over: it could name circles.
            children.getOrDefault(tree.get(i), List.of()).stream().filter(child -> !tree.contains(child)).forEach(tree::add);
        }
        return tree;
    }
}
