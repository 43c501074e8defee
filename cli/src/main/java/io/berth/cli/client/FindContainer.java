package io.berth.cli.client;

import io.berth.cri.v1.Container;
import io.berth.cri.v1.ContainerState;
import io.berth.cri.v1.ListContainersRequest;
import io.berth.cri.v1.ListPodSandboxRequest;
import io.berth.cri.v1.PodSandbox;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;

/** Finds the container that a person means: by id, the beginning of an id, a name, or POD/NAME. */
public final class FindContainer {

    private FindContainer() {}

    /**
     * The one container that {@code words} fit. Of several attempts at one container of one pod it is the running one, else
     * the newest.
     *
     * @throws DaemonFault NOT_FOUND when none or several fit
     */
    public static Container named(Connection berth, String words) {
        List<Container> all = berth.runtime().listContainers(ListContainersRequest.getDefaultInstance()).getContainersList();
        List<Container> byId = all.stream().filter(each -> !words.isEmpty() && each.getId().startsWith(words)).toList();
        return only(byId.isEmpty() ? byName(berth, all, words) : byId, words);
    }

    private static List<Container> byName(Connection berth, List<Container> all, String words) {
        int slash = words.indexOf('/');
        String name = words.substring(slash + 1);
        List<Container> named = all.stream().filter(each -> each.getMetadata().getName().equals(name)).toList();
        if (slash < 0) {
            return named;
        }
        Map<String, PodSandbox> pods = berth.runtime().listPodSandbox(ListPodSandboxRequest.getDefaultInstance())
                .getItemsList().stream().collect(Collectors.toMap(PodSandbox::getId, Function.identity()));
        String pod = words.substring(0, slash);
        return named.stream().filter(each -> pods.containsKey(each.getPodSandboxId())
                && pods.get(each.getPodSandboxId()).getMetadata().getName().equals(pod)).toList();
    }

    private static Container only(List<Container> found, String words) {
        if (found.isEmpty()) {
            throw new DaemonFault(ExitCode.NOT_FOUND, "find container " + words + ": there is none: \"berth ps -a\" lists all");
        }
        List<Container> running = found.stream().filter(each -> each.getState() == ContainerState.CONTAINER_RUNNING).toList();
        if (running.size() == 1) {
            return running.getFirst();
        }
        boolean attempts = found.stream().map(each -> each.getPodSandboxId() + "/" + each.getMetadata().getName()).distinct()
                .count() == 1;
        if (found.size() > 1 && !attempts) {
            throw new DaemonFault(ExitCode.NOT_FOUND, "find container " + words + ": it fits " + found.size() + ": say "
                    + found.stream().map(each -> each.getId().substring(0, 12)).limit(5).collect(Collectors.joining(" or ")));
        }
        return found.stream().max((a, b) -> Long.compare(a.getCreatedAt(), b.getCreatedAt())).orElseThrow();
    }
}
