package io.berth.cli.client;

import io.berth.cri.v1.ListPodSandboxRequest;
import io.berth.cri.v1.PodSandbox;
import io.berth.cri.v1.PodSandboxState;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/** Finds the pod that a person means: by id, the beginning of an id, a name, or NAMESPACE/NAME. */
public final class FindPod {

    private FindPod() {}

    /**
     * The one pod that {@code words} fit. Of several sandboxes of one pod it is the ready one, else the newest.
     *
     * @throws DaemonFault NOT_FOUND when none or several fit
     */
    public static PodSandbox named(Connection berth, String words) {
        return find(berth, words).orElseThrow(() -> new DaemonFault(ExitCode.NOT_FOUND, "find pod " + words
                + ": there is none: \"berth pods\" lists all"));
    }

    /** As {@link #named}, but empty when none fits. */
    public static Optional<PodSandbox> find(Connection berth, String words) {
        List<PodSandbox> all = berth.runtime().listPodSandbox(ListPodSandboxRequest.getDefaultInstance()).getItemsList();
        List<PodSandbox> found = all.stream().filter(each -> !words.isEmpty() && each.getId().startsWith(words)).toList();
        if (found.isEmpty()) {
            found = all.stream().filter(each -> each.getMetadata().getName().equals(words)
                    || (each.getMetadata().getNamespace() + "/" + each.getMetadata().getName()).equals(words)).toList();
        }
        List<PodSandbox> ready = found.stream().filter(each -> each.getState() == PodSandboxState.SANDBOX_READY).toList();
        if (ready.size() == 1) {
            return Optional.of(ready.getFirst());
        }
        if (found.stream().map(each -> each.getMetadata().getUid()).distinct().count() > 1) {
            throw new DaemonFault(ExitCode.NOT_FOUND, "find pod " + words + ": it fits " + found.size() + ": say "
                    + found.stream().map(each -> each.getId().substring(0, 12)).limit(5).collect(Collectors.joining(" or ")));
        }
        return found.stream().max((a, b) -> Long.compare(a.getCreatedAt(), b.getCreatedAt()));
    }
}
