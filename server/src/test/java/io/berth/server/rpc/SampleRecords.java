package io.berth.server.rpc;

import io.berth.cri.v1.ContainerConfig;
import io.berth.cri.v1.ContainerMetadata;
import io.berth.cri.v1.ImageSpec;
import io.berth.cri.v1.LinuxContainerResources;
import io.berth.cri.v1.PodSandboxConfig;
import io.berth.cri.v1.PodSandboxMetadata;
import io.berth.pod.record.Container;
import io.berth.pod.record.Sandbox;
import io.berth.store.RecordStore;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** Records for tests, and a store that keeps nothing. */
public final class SampleRecords {

    /** What is put into it lives on in the inventory only. */
    public static final RecordStore NOWHERE = new RecordStore() {
        @Override
        public void put(String kind, String id, byte[] document) {}

        @Override
        public void remove(String kind, String id) {}

        @Override
        public Map<String, byte[]> all(String kind) {
            return Map.of();
        }
    };

    private SampleRecords() {}

    /** A ready sandbox of pod shop/web. */
    public static Sandbox sandbox(String id) {
        return new Sandbox(id, PodSandboxConfig.newBuilder().setMetadata(PodSandboxMetadata.newBuilder().setName("web")
                .setNamespace("shop").setUid("u-" + id)).build(), "runc", 1, Sandbox.Phase.READY, Set.of(), List.of(), false,
                "/berth/" + id, Optional.empty());
    }

    /** A running container called main, without a process. */
    public static Container container(String id, String sandboxId, LinuxContainerResources resources) {
        ContainerConfig config = ContainerConfig.newBuilder().setMetadata(ContainerMetadata.newBuilder().setName("main"))
                .setImage(ImageSpec.newBuilder().setImage("sha256:1").setUserSpecifiedImage("busybox:1")).build();
        return new Container(id, sandboxId, config, "sha256:1", "busybox@sha256:1", "runc", "/berth/" + sandboxId + "/" + id,
                Optional.empty(), 15, Container.User.ROOT, List.of(), resources, 1, Container.Phase.RUNNING,
                Optional.empty(), 1, Container.Exit.NONE, Optional.empty());
    }
}
