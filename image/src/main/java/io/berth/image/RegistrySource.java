package io.berth.image;

import io.berth.base.RuntimeFault;
import io.berth.base.RuntimeFault.Kind;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.Predicate;

/**
 * The endpoints of one image's registry during one pull, asked in order: one that does not have the content, or fails,
 * is followed by the next. Thread-safe.
 */
final class RegistrySource {

    private final ImageReference reference;
    private final List<RegistrySession> sessions;

    RegistrySource(ImageReference reference, FindCredentials credentials, List<Endpoint> endpoints,
            PullOptions options, HttpClients clients) {
        this.reference = reference;
        this.sessions = endpoints.stream().map(endpoint -> new RegistrySession(endpoint, reference,
                credentials.of(reference, endpoint), options, clients)).toList();
    }

    ImageReference reference() {
        return reference;
    }

    /**
     * The first good answer of {@code request}.
     *
     * @throws RuntimeFault that of the last endpoint, the registry itself, in its kind; the message has those of all
     */
    <T> T first(Predicate<Endpoint> able, Function<RegistrySession, T> request) {
        List<RuntimeFault> faults = new ArrayList<>();
        List<RegistrySession> order = sessions.stream().filter(session -> able.test(session.endpoint()))
                .sorted(Comparator.comparing(RegistrySession::isUnreachable)).toList();
        for (RegistrySession session : order) {
            try {
                return request.apply(session);
            } catch (RuntimeFault fault) {
                if (fault.kind() == Kind.CANCELLED || fault.kind() == Kind.RESOURCE_EXHAUSTED && !(fault instanceof RegistryFault)) {
                    throw fault;
                }
                faults.add(fault);
            }
        }
        if (faults.isEmpty()) {
            throw RuntimeFault.precondition("pull image " + reference
                    + ": no endpoint in hosts.toml has the capability that is needed");
        }
        if (faults.size() == 1) {
            throw faults.getFirst();
        }
        // Damaged content is worth more than "not found at the next one".
        RuntimeFault decisive = faults.stream().filter(fault -> fault.kind() == Kind.DATA_LOSS).findFirst()
                .orElse(faults.getLast());
        String all = String.join("; then: ", faults.stream().map(RuntimeFault::getMessage).distinct().toList());
        throw new RuntimeFault(decisive.kind(), all, decisive);
    }
}
