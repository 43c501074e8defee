package io.berth.server.extension;

import io.berth.base.Digest;
import io.berth.base.RuntimeFault;
import io.berth.extension.NewImage;
import io.berth.extension.Verdict;
import io.berth.image.AdmitImage;
import io.berth.image.ImageReference;
import io.berth.network.NetworkStatus;
import io.berth.network.PodNetwork;
import io.berth.pod.Node;
import io.berth.server.config.Config;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The extensions of this node. One that cannot be loaded does not keep Berth from starting; but it may have been meant to
 * judge images, so images are refused then unless the operator says otherwise. Thread-safe.
 */
public final class Extensions implements AdmitImage, AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(Extensions.class);

    private record Broken(String name, String reason) {}

    private final Config.Extensions config;
    private final List<LoadedExtension> loaded = new ArrayList<>();
    private final List<Broken> broken = new ArrayList<>();
    private final List<ExtensionEvents> events = new ArrayList<>();

    private final Path heard;

    private Extensions(Config.Extensions config, Path heard) {
        this.config = config;
        this.heard = heard;
    }

    /**
     * Loads and starts what is in the configured directory.
     *
     * @param heard directory where it is kept which ends they were told of
     */
    public static Extensions load(Config.Extensions config, Path heard) {
        Extensions extensions = new Extensions(config, heard);
        config.directory().ifPresent(extensions::loadAll);
        return extensions;
    }

    private void loadAll(Path directory) {
        List<ExtensionJar> jars = List.of();
        try {
            jars = ExtensionJar.in(directory);
        } catch (RuntimeFault fault) {
            isBroken(directory.toString(), fault);
        }
        for (ExtensionJar jar : jars) {
            try {
                List<LoadedExtension> added = LoadedExtension.of(jar, config.callTimeout());
                loaded.addAll(added);
                added.forEach(each -> LOG.atInfo().addKeyValue("extension", each.name())
                        .addKeyValue("takesPartIn", takesPartIn(each)).log("extension takes part"));
            } catch (RuntimeFault fault) {
                isBroken(jar.name(), fault);
            }
        }
    }

    private void isBroken(String name, RuntimeFault fault) {
        broken.add(new Broken(name, fault.getMessage()));
        LOG.atError().addKeyValue("extension", name).addKeyValue("reason", fault.getMessage()).log("extension does not take part");
    }

    @Override
    public void admit(ImageReference image, Set<Digest> digests, AdmitImage.Source source) {
        String action = switch (source) {
            case REGISTRY -> "pull image " + image;
            case FILE -> "import image " + image;
        };
        broken.forEach(each -> undecided(action, "an extension is not loaded, which may judge images: " + each.reason));
        NewImage asked = new NewImage(image.toString(), digests.stream().map(Digest::toString).collect(Collectors.toSet()),
                switch (source) {
                    case REGISTRY -> NewImage.Source.REGISTRY;
                    case FILE -> NewImage.Source.FILE;
                });
        for (LoadedExtension each : loaded) {
            each.imagePolicy().ifPresent(policy -> {
                Optional<Verdict> verdict;
                try {
                    verdict = each.guard().call("judge image " + image, () -> copy(policy.judge(asked)));
                } catch (RuntimeFault fault) {
                    if (fault.kind() == RuntimeFault.Kind.CANCELLED) {
                        throw fault;
                    }
                    undecided(action, fault.getMessage());
                    return;
                }
                if (verdict.isEmpty()) {
                    undecided(action, "extension " + each.name() + " gave no verdict");
                } else if (!verdict.get().accepted()) {
                    throw new RuntimeFault(RuntimeFault.Kind.PERMISSION_DENIED, action + ": extension " + each.name()
                            + " refuses it: " + verdict.get().reason());
                }
            });
        }
    }

    private static Optional<Verdict> copy(Verdict verdict) {
        return Optional.ofNullable(verdict).map(each -> new Verdict(each.accepted(), String.valueOf(each.reason())));
    }

    // Not PERMISSION_DENIED, which is the word of a policy and holds for good: who repairs the extension can try again.
    private void undecided(String action, String reason) {
        if (config.refuseOnFailure()) {
            throw new RuntimeFault(RuntimeFault.Kind.UNAVAILABLE, action + ": " + reason
                    + ": repair the extension, or set extensions.image_policy_failure = \"accept\"");
        }
        LOG.atWarn().addKeyValue("action", action).addKeyValue("reason", reason).log("image accepted without the word of an extension");
    }

    /** The network that an extension gives; one that is never ready where none or more than one does. */
    public PodNetwork network(Path records) {
        List<LoadedExtension> offering = loaded.stream().filter(each -> each.network().isPresent()).toList();
        if (offering.size() != 1) {
            String directory = config.directory().map(Path::toString).orElse("extensions.directory, which is not set");
            return new NoNetwork(NetworkStatus.notReady(offering.isEmpty() ? "no extension in " + directory + " gives pods a network"
                    : offering.stream().map(LoadedExtension::name).toList() + " both want to give pods their network: take one out of "
                    + directory));
        }
        LoadedExtension only = offering.getFirst();
        return new ExtensionNetwork(only.name(), only.guard(), only.network().orElseThrow(), records);
    }

    /** Begins to listen for them: before the ends are taken up that came while Berth was down. */
    public void listen(Node node) {
        loaded.forEach(each -> each.listener().ifPresent(listener -> events.add(
                new ExtensionEvents(each, listener, node.events(), node.inventory(), heard.resolve(fileName(each.name()))))));
    }

    // The class behind a slash, where a jar offers more than one.
    private static String fileName(String extension) {
        return extension.replace('/', ':') + ".ends";
    }

    /** Begins to tell them, once what was left undone is finished. */
    public void tell() {
        events.forEach(ExtensionEvents::start);
    }

    /** How each does. */
    public List<ExtensionState> states() {
        return Stream.concat(loaded.stream().map(each -> new ExtensionState(each.name(),
                each.guard().isHanging() ? "hanging" : "active", takesPartIn(each), each.guard().failures(),
                each.guard().lastFailure().orElse(""))),
                broken.stream().map(each -> new ExtensionState(each.name, "not loaded", "", 1, each.reason))).toList();
    }

    private static String takesPartIn(LoadedExtension each) {
        List<String> parts = new ArrayList<>();
        each.imagePolicy().ifPresent(there -> parts.add("images"));
        each.listener().ifPresent(there -> parts.add("events"));
        each.network().ifPresent(there -> parts.add("network"));
        return String.join(", ", parts);
    }

    /** Tells them that Berth ends. */
    @Override
    public void close() {
        events.forEach(ExtensionEvents::close);
        loaded.forEach(each -> each.stop().ifPresent(fault -> LOG.atWarn().addKeyValue("extension", each.name())
                .addKeyValue("reason", fault.getMessage()).log("extension does not stop")));
    }
}
