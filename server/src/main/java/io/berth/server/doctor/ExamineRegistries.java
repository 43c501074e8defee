package io.berth.server.doctor;

import io.berth.base.RuntimeFault;
import io.berth.image.Endpoint;
import io.berth.image.RegistryHosts;
import io.berth.server.config.Config;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** The files that say how registries are reached. Nothing is asked over the network. */
final class ExamineRegistries implements Examination {

    private static final String AREA = "registries";

    @Override
    public List<Finding> look(Host host, Config config) {
        Path directory = config.images().registryConfigPath();
        List<String> names = host.list(directory);
        if (names.isEmpty()) {
            return List.of(Finding.fine(AREA, "nothing in " + directory + ": each is reached directly by HTTPS"));
        }
        List<Finding> found = new ArrayList<>();
        RegistryHosts hosts = new RegistryHosts(Optional.of(host.path(directory)));
        for (String name : names) {
            try {
                // A directory may write a port as host_port_.
                List<Endpoint> endpoints = hosts.endpoints(name.replaceFirst("^(.*)_([0-9]+)_$", "$1:$2"));
                found.add(Finding.fine(AREA, name + ": " + String.join(", then ",
                        endpoints.stream().map(Endpoint::toString).toList())));
                endpoints.forEach(endpoint -> found.addAll(endpoint(name, endpoint)));
            } catch (RuntimeFault fault) {
                found.add(Finding.problem(AREA, fault.getMessage(), "correct the file: pulls from " + name + " fail"));
            }
        }
        return found;
    }

    private static List<Finding> endpoint(String name, Endpoint endpoint) {
        List<Finding> found = new ArrayList<>();
        boolean local = endpoint.host().matches("(localhost|127\\.0\\.0\\.1|\\[::1])(:[0-9]+)?");
        if (endpoint.base().getScheme().equals("http") && !local) {
            found.add(Finding.warning(AREA, name + ": " + endpoint + " is plain HTTP: passwords can be read on the way",
                    "serve it by HTTPS and name its certificate with ca"));
        }
        if (endpoint.tls().skipVerify()) {
            found.add(Finding.warning(AREA, name + ": the certificate of " + endpoint + " is not verified",
                    "replace skip_verify by ca with the registry's certificate"));
        }
        return found;
    }
}
