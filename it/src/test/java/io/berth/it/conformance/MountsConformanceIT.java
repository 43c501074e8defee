package io.berth.it.conformance;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.berth.cri.v1.Mount;
import io.berth.cri.v1.MountPropagation;
import io.berth.cri.v1.StatusRequest;
import io.berth.linux.Mounts;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Directories and files of the node in a container. */
@Timeout(120)
class MountsConformanceIT {

    @RegisterExtension
    static final Cri CRI = new Cri();

    private static Mount.Builder mount(Path host, String container) {
        return Mount.newBuilder().setHostPath(host.toString()).setContainerPath(container);
    }

    private static String with(Mount.Builder... mounts) {
        return CRI.sleeper(CRI.pod(), config -> {
            for (Mount.Builder mount : mounts) {
                config.addMounts(mount);
            }
        });
    }

    @Test
    void aDirectoryOfTheNodeIsReadAndWritten() throws Exception {
        Path directory = CRI.directory();
        Files.writeString(directory.resolve("note"), "from the node\n");
        String container = with(mount(directory, "/data"));
        assertEquals("from the node\n", CRI.out(container, "cat", "/data/note"));
        CRI.out(container, "sh", "-c", "echo from the container > /data/answer");
        assertEquals("from the container\n", Files.readString(directory.resolve("answer")));
    }

    @Test
    void aFileOfTheNodeIsMountedToo() throws Exception {
        Path file = Files.writeString(CRI.directory().resolve("note"), "a file\n");
        assertEquals("a file\n", CRI.out(with(mount(file, "/etc/note")), "cat", "/etc/note"));
    }

    @Test
    void aLinkOfTheNodeIsFollowed() throws Exception {
        Path directory = CRI.directory();
        Path real = Files.createDirectory(directory.resolve("real"));
        Files.writeString(real.resolve("note"), "behind the link\n");
        Path link = Files.createSymbolicLink(directory.resolve("link"), Path.of("real"));
        assertEquals("behind the link\n", CRI.out(with(mount(link, "/data")), "cat", "/data/note"));
    }

    @Test
    void aDirectoryThatIsNotThereIsMade() throws Exception {
        Path absent = CRI.directory().resolve("to/be/made");
        CRI.out(with(mount(absent, "/data")), "touch", "/data/new");
        assertTrue(Files.exists(absent.resolve("new")));
    }

    @Test
    void aReadOnlyMountTakesNoWrites() throws Exception {
        Path directory = CRI.directory();
        String container = with(mount(directory, "/data").setReadonly(true));
        assertNotEquals(0, CRI.exec(container, "touch", "/data/new").getExitCode());
        assertFalse(Files.exists(directory.resolve("new")));
    }

    @Test
    void mountsInsideMountsComeInTheRightOrder() throws Exception {
        Path directory = CRI.directory();
        Path outer = Files.createDirectories(directory.resolve("outer"));
        Path inner = Files.createDirectories(directory.resolve("inner"));
        Files.writeString(inner.resolve("note"), "inner\n");
        String container = with(mount(inner, "/data/sub"), mount(outer, "/data"));
        assertEquals("inner\n", CRI.out(container, "cat", "/data/sub/note"));
    }

    @Test
    void thePodsOwnFilesMayBeReplaced() throws Exception {
        Path hosts = Files.writeString(CRI.directory().resolve("hosts"), "127.0.0.1 localhost\n192.0.2.7 friend\n");
        assertTrue(CRI.out(with(mount(hosts, "/etc/hosts")), "cat", "/etc/hosts").contains("192.0.2.7 friend"));
    }

    @Test
    void theStatusTellsTheMounts() throws Exception {
        Path directory = CRI.directory();
        var told = CRI.status(with(mount(directory, "/data").setReadonly(true))).getMountsList().stream()
                .filter(each -> each.getContainerPath().equals("/data")).findFirst().orElseThrow();
        assertEquals(directory.toRealPath().toString(), told.getHostPath());
        assertTrue(told.getReadonly());
        assertEquals(MountPropagation.PROPAGATION_PRIVATE, told.getPropagation());
    }

    @Test
    void theSharedMemoryIsAMountOfThePod() {
        String container = CRI.sleeper(CRI.pod());
        assertTrue(CRI.out(container, "grep", " /dev/shm ", "/proc/mounts").contains("tmpfs"));
        assertTrue(CRI.out(container, "df", "-k", "/dev/shm").contains(" 65536 "));
    }

    /** A shared mount of its own, since that of the node's root need not be one. */
    private static final class SharedMount implements AutoCloseable {
        final Path path = CRI.directory();

        SharedMount() {
            Mounts.tmpfs(path, 1 << 20, 0755, 0, 0, 0);
            Mounts.makeShared(path);
        }

        @Override
        public void close() {
            Mounts.at(path).forEach(Mounts::unmount);
        }
    }

    private static String propagated(SharedMount shared, MountPropagation propagation) throws Exception {
        Files.createDirectory(shared.path.resolve("late"));
        var pod = CRI.pod(config -> config.getLinuxBuilder().getSecurityContextBuilder().setPrivileged(true));
        return CRI.sleeper(pod, config -> {
            config.addMounts(mount(shared.path, "/shared").setPropagation(propagation));
            config.getLinuxBuilder().getSecurityContextBuilder().setPrivileged(true);
        });
    }

    private static boolean seesALateMount(SharedMount shared, String container) throws Exception {
        Path late = shared.path.resolve("late");
        Mounts.tmpfs(late, 1 << 20, 0755, 0, 0, 0);
        Files.createFile(late.resolve("inside"));
        return CRI.exec(container, "test", "-e", "/shared/late/inside").getExitCode() == 0;
    }

    private static boolean mountsReachTheNode(SharedMount shared, String container) {
        CRI.out(container, "sh", "-c", "mkdir /shared/own && mount -t tmpfs own /shared/own && touch /shared/own/inside");
        boolean seen = Files.exists(shared.path.resolve("own/inside"));
        CRI.out(container, "umount", "/shared/own");
        return seen;
    }

    @Test
    void privateMountsGoNeitherWay() throws Exception {
        try (SharedMount shared = new SharedMount()) {
            String container = propagated(shared, MountPropagation.PROPAGATION_PRIVATE);
            assertFalse(seesALateMount(shared, container));
            assertFalse(mountsReachTheNode(shared, container));
        }
    }

    @Test
    void mountsOfTheNodeReachTheContainerOneWay() throws Exception {
        try (SharedMount shared = new SharedMount()) {
            String container = propagated(shared, MountPropagation.PROPAGATION_HOST_TO_CONTAINER);
            assertTrue(seesALateMount(shared, container));
            assertFalse(mountsReachTheNode(shared, container));
        }
    }

    @Test
    void mountsGoBothWays() throws Exception {
        try (SharedMount shared = new SharedMount()) {
            String container = propagated(shared, MountPropagation.PROPAGATION_BIDIRECTIONAL);
            assertTrue(seesALateMount(shared, container));
            assertTrue(mountsReachTheNode(shared, container));
        }
    }

    @Test
    void propagationFromAMountThatIsNotSharedIsRefused() throws Exception {
        Path directory = CRI.directory();
        Mounts.tmpfs(directory, 1 << 20, 0755, 0, 0, 0);
        try {
            Mounts.makePrivate(directory);
            var pod = CRI.pod();
            Cri.refused(() -> CRI.create(pod, config -> config.addMounts(mount(directory, "/data")
                    .setPropagation(MountPropagation.PROPAGATION_BIDIRECTIONAL)), "true"));
        } finally {
            Mounts.unmount(directory);
        }
    }

    private static boolean knowsRecursiveReadOnly() {
        return CRI.runtime().status(StatusRequest.getDefaultInstance()).getRuntimeHandlersList().stream()
                .filter(handler -> handler.getName().isEmpty()).anyMatch(handler -> handler.getFeatures().getRecursiveReadOnlyMounts());
    }

    @Test
    void aMountBelowAReadOnlyOneIsWritableUnlessAskedOtherwise() throws Exception {
        Path directory = CRI.directory();
        Path below = Files.createDirectory(directory.resolve("below"));
        Mounts.tmpfs(below, 1 << 20, 0777, 0, 0, 0);
        try {
            String plain = with(mount(directory, "/data").setReadonly(true));
            assertNotEquals(0, CRI.exec(plain, "touch", "/data/new").getExitCode());
            assertEquals(0, CRI.exec(plain, "touch", "/data/below/new").getExitCode());
            assumeTrue(knowsRecursiveReadOnly(), "the runtime says that it has no recursive read-only mounts");
            String recursive = with(mount(directory, "/data").setReadonly(true).setRecursiveReadOnly(true));
            assertNotEquals(0, CRI.exec(recursive, "touch", "/data/below/other").getExitCode());
            assertTrue(CRI.status(recursive).getMountsList().stream().anyMatch(Mount::getRecursiveReadOnly));
        } finally {
            Mounts.unmount(below);
        }
    }

    @Test
    void recursiveReadOnlyNeedsAReadOnlyPrivateMount() throws Exception {
        assumeTrue(knowsRecursiveReadOnly(), "the runtime says that it has no recursive read-only mounts");
        Path directory = CRI.directory();
        var pod = CRI.pod();
        for (Mount.Builder wrong : new Mount.Builder[] {mount(directory, "/data"),
            mount(directory, "/data").setReadonly(true).setPropagation(MountPropagation.PROPAGATION_HOST_TO_CONTAINER),
            mount(directory, "/data").setReadonly(true).setPropagation(MountPropagation.PROPAGATION_BIDIRECTIONAL)}) {
            Cri.refused(() -> CRI.create(pod, config -> config.addMounts(wrong.setRecursiveReadOnly(true)), "true"));
        }
    }

    private static Mount.Builder volume(String image) {
        return Mount.newBuilder().setContainerPath("/volume").setReadonly(true).setImage(Cri.image(image));
    }

    @Test
    void anImageIsAReadOnlyVolume() {
        String image = CRI.pulled("volume");
        String container = with(volume(image));
        assertEquals("a volume\n", CRI.out(container, "cat", "/volume/readme"));
        assertEquals("deep down\n", CRI.out(container, "cat", "/volume/inner/down"));
        assertNotEquals(0, CRI.exec(container, "touch", "/volume/new").getExitCode());
    }

    @Test
    void theStatusTellsTheDigestOfAnImageVolume() {
        String image = CRI.pulled("volume");
        var told = CRI.status(with(volume(image))).getMountsList().stream()
                .filter(each -> each.getContainerPath().equals("/volume")).findFirst().orElseThrow();
        assertEquals(image, told.getImage().getImage());
        assertTrue(told.getImage().getImageRef().contains("sha256:"), told::toString);
    }

    @Test
    void aPartOfAnImageIsAVolume() {
        String image = CRI.pulled("volume");
        assertEquals("a file\n", CRI.out(with(volume(image).setImageSubPath("data")), "cat", "/volume/file"));
        assertEquals("deep down\n", CRI.out(with(volume(image).setImageSubPath("inner")), "cat", "/volume/down"));
    }

    @Test
    void aPartThatIsNotThereOrLeadsOutIsRefused() {
        String image = CRI.pulled("volume");
        var pod = CRI.pod();
        for (String path : new String[] {"nowhere", "../..", "/data", "data/../..", "outer/passwd"}) {
            Cri.refused(() -> CRI.create(pod, config -> config.addMounts(volume(image).setImageSubPath(path)), "true"));
        }
    }

    @Test
    void anImageVolumeIsNeverWritableAndMustBeThere() {
        String image = CRI.pulled("volume");
        var pod = CRI.pod();
        Cri.refused(() -> CRI.create(pod, config -> config.addMounts(volume(image).setReadonly(false)), "true"));
        Cri.refused(() -> CRI.create(pod, config -> config.addMounts(volume(CRI.images().reference("absent:1"))), "true"));
    }

    @Test
    void twoContainersUseOneImageVolume() {
        String image = CRI.pulled("volume");
        var pod = CRI.pod();
        String first = CRI.sleeper(pod, config -> config.addMounts(volume(image)));
        String second = CRI.sleeper(pod, config -> config.addMounts(volume(image)));
        CRI.runtime().removeContainer(io.berth.cri.v1.RemoveContainerRequest.newBuilder().setContainerId(first).build());
        assertEquals("a volume\n", CRI.out(second, "cat", "/volume/readme"));
    }
}
