package io.berth.server.extension;

import io.berth.base.Digest;
import io.berth.base.RuntimeFault;
import io.berth.extension.PulledImage;
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

    private Extensions(Config.Extensions config) {
        this.config = config;
    }

    /** Loads and starts what is in the configured directory. */
    public static Extensions load(Config.Extensions config) {
        Extensions extensions = new Extensions(config);
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
    public void admit(ImageReference image, Set<Digest> digests) {
        broken.forEach(each -> failed(image, "an extension is not loaded, which may judge images: " + each.reason));
        PulledImage asked = new PulledImage(image.toString(), digests.stream().map(Digest::toString).collect(Collectors.toSet()));
        for (LoadedExtension each : loaded) {
            each.imagePolicy().ifPresent(policy -> {
                Verdict verdict;
                try {
                    verdict = each.guard().call("judge image " + image, () -> copy(policy.judge(asked)));
                } catch (RuntimeFault fault) {
                    failed(image, fault.getMessage());
                    return;
                }
                if (!verdict.accepted()) {
                    throw new RuntimeFault(RuntimeFault.Kind.PERMISSION_DENIED, "pull image " + image + ": extension "
                            + each.name() + " refuses it: " + verdict.reason());
                }
            });
        }
    }

    private static Verdict copy(Verdict verdict) {
        return verdict == null ? Verdict.refuse("it gave no verdict") : new Verdict(verdict.accepted(), String.valueOf(verdict.reason()));
    }

    private void failed(ImageReference image, String reason) {
        if (config.refuseOnFailure()) {
            throw new RuntimeFault(RuntimeFault.Kind.PERMISSION_DENIED, "pull image " + image + ": " + reason
                    + ": repair the extension, or set extensions.image_policy_failure = \"accept\"");
        }
        LOG.atWarn().addKeyValue("image", image).addKeyValue("reason", reason).log("image accepted without the word of an extension");
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

    /** Begins to tell of pods and containers. */
    public void start(Node node) {
        loaded.forEach(each -> each.listener().ifPresent(listener ->
                events.add(ExtensionEvents.start(each, listener, node.events()))));
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
