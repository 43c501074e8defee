package io.berth.server.extension;

import io.berth.base.RuntimeFault;
import io.berth.extension.Extension;
import io.berth.extension.ImagePolicy;
import io.berth.extension.LifecycleListener;
import io.berth.extension.NetworkProvider;
import java.net.MalformedURLException;
import java.net.URL;
import java.net.URLClassLoader;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * An extension that takes part.
 *
 * @param name its jar's, with the class where the jar offers more than one
 * @param guard through which alone the others are called
 */
record LoadedExtension(String name, Guard guard, Extension extension, Optional<ImagePolicy> imagePolicy,
        Optional<LifecycleListener> listener, Optional<NetworkProvider> network) {

    private record Parts(Extension extension, Optional<ImagePolicy> imagePolicy, Optional<LifecycleListener> listener,
            Optional<NetworkProvider> network) {}

    /**
     * Makes and starts all that {@code jar} offers, with a class loader of its own that lives as long as Berth.
     *
     * @throws RuntimeFault FAILED_PRECONDITION when it must not be loaded, else what its constructor or start says
     */
    static List<LoadedExtension> of(ExtensionJar jar, Duration limit) {
        jar.problem().ifPresent(problem -> {
            throw RuntimeFault.precondition("load extension " + jar.file() + ": " + problem);
        });
        Map<String, String> settings = jar.settings();
        List<String> providers = jar.providers();
        ClassLoader loader = loader(jar);
        List<LoadedExtension> started = new ArrayList<>();
        try {
            for (String provider : providers) {
                String name = providers.size() == 1 ? jar.name() : jar.name() + "/" + provider;
                Guard guard = new Guard(name, limit);
                guard.use(loader);
                Parts parts = guard.call("start", () -> start(loader, provider, settings));
                started.add(new LoadedExtension(name, guard, parts.extension, parts.imagePolicy, parts.listener, parts.network));
            }
            return List.copyOf(started);
        } catch (RuntimeFault fault) {
            started.forEach(each -> each.stop().ifPresent(fault::addSuppressed));
            throw fault;
        }
    }

    /** Tells it that Berth ends; why it does not take notice. */
    Optional<RuntimeFault> stop() {
        try {
            guard.call("stop", () -> {
                extension.stop();
                return true;
            });
            return Optional.empty();
        } catch (RuntimeFault fault) {
            return Optional.of(fault);
        }
    }

    private static ClassLoader loader(ExtensionJar jar) {
        try {
            return new URLClassLoader("extension " + jar.name(), new URL[] {jar.file().toUri().toURL()}, new ApiLoader());
        } catch (MalformedURLException e) {
            throw RuntimeFault.internal("load extension " + jar.file() + ": " + RuntimeFault.reason(e), e);
        }
    }

    private static Parts start(ClassLoader loader, String provider, Map<String, String> settings) throws Exception {
        Extension extension = loader.loadClass(provider).asSubclass(Extension.class).getConstructor().newInstance();
        extension.start(settings);
        return new Parts(extension, extension.imagePolicy(), extension.lifecycleListener(), extension.networkProvider());
    }
}
