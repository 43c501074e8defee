package io.berth.it.conformance;

import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The images of the suite by their names in its registry. */
final class SuiteImages {

    private static final String ENVIRONMENT = "\"Env\":[\"PATH=/bin\"]";

    private final SuiteRegistry registry;
    private final Map<String, SuiteImage> byRepository = new LinkedHashMap<>();

    private SuiteImages(SuiteRegistry registry) {
        this.registry = registry;
    }

    static SuiteImages push(SuiteRegistry registry, Path directory) throws Exception {
        SuiteImages images = new SuiteImages(registry);
        List<byte[]> usual = List.of(SuiteImage.busyboxLayer(directory.resolve("busybox")), SuiteImage.accountsLayer());
        images.push("busybox", new SuiteImage(usual, ENVIRONMENT + ",\"Cmd\":[\"sh\"]"), "latest", "1");
        images.push("tags", new SuiteImage(usual, ENVIRONMENT + ",\"Labels\":{\"is\":\"tagged\"}"), "1", "2", "3");
        for (String name : List.of("three-a", "three-b", "three-c")) {
            images.push(name, new SuiteImage(usual, ENVIRONMENT + ",\"Labels\":{\"is\":\"" + name + "\"}"), "latest");
        }
        Map<String, String> users = Map.of("user-number", "1002", "user-name", "sailor", "user-numbers", "1003:50001",
                "user-names", "sailor:crew", "user-unknown", "ghost", "user-huge", "4294967296");
        for (Map.Entry<String, String> user : users.entrySet()) {
            images.push(user.getKey(), new SuiteImage(usual, ENVIRONMENT + ",\"User\":\"" + user.getValue() + "\""), "latest");
        }
        images.push("program", new SuiteImage(usual, """
                "Env":["PATH=/bin","FROM_IMAGE=yes","OVERRIDDEN=no"],"Entrypoint":["/bin/echo","entry"],"Cmd":["command"],\
                "WorkingDir":"/desk","StopSignal":"SIGUSR1","Volumes":{"/volume":{}}"""), "latest");
        images.push("volume", new SuiteImage(List.of(SuiteImage.volumeLayer()), ""), "latest");
        return images;
    }

    private void push(String repository, SuiteImage image, String... tags) throws Exception {
        byRepository.put(repository, image);
        registry.push(repository, image, tags);
    }

    /** The reference of a repository, with a tag or digest where it is given. */
    String reference(String repositoryAndTag) {
        return registry.host() + "/" + repositoryAndTag;
    }

    /** As {@link #reference}, by the registry's other name. */
    String otherReference(String repositoryAndTag) {
        return registry.otherHost() + "/" + repositoryAndTag;
    }

    /** The image that nearly all containers run. */
    String busybox() {
        return reference("busybox:latest");
    }

    SuiteImage image(String repository) {
        return byRepository.get(repository);
    }
}
