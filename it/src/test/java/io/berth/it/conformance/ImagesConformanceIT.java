package io.berth.it.conformance;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.berth.cri.v1.Image;
import io.berth.cri.v1.ImageFilter;
import io.berth.cri.v1.ImageStatusRequest;
import io.berth.cri.v1.ListImagesRequest;
import io.berth.cri.v1.RemoveImageRequest;
import io.berth.cri.v1.StreamImagesRequest;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Images: pulled, told of, removed, by all the names that they have. */
@Timeout(120)
class ImagesConformanceIT {

    @RegisterExtension
    static final Cri CRI = new Cri();

    private static Optional<Image> find(String name) {
        var answer = CRI.imageService().imageStatus(ImageStatusRequest.newBuilder().setImage(Cri.image(name)).build());
        return answer.hasImage() ? Optional.of(answer.getImage()) : Optional.empty();
    }

    private static Image present(String name) {
        return find(name).orElseThrow(() -> new AssertionError(name + " is not there"));
    }

    private static void remove(String name) {
        CRI.imageService().removeImage(RemoveImageRequest.newBuilder().setImage(Cri.image(name)).build());
    }

    private static List<Image> list(String filter) {
        return CRI.imageService().listImages(ListImagesRequest.newBuilder().setFilter(
                ImageFilter.newBuilder().setImage(Cri.image(filter))).build()).getImagesList();
    }

    private static String id(String repository) {
        return CRI.images().image(repository).id().toString();
    }

    @Test
    void anImageIsPulledByTagAndRemoved() {
        String name = CRI.images().reference("three-a:latest");
        remove(id("three-a"));
        CRI.pull(name);
        Image image = present(name);
        assertEquals(id("three-a"), image.getId());
        assertEquals(List.of(name), image.getRepoTagsList());
        assertTrue(image.getSize() > 0);
        remove(name);
        assertEquals(Optional.empty(), find(name));
        assertTrue(CRI.imageService().listImages(ListImagesRequest.getDefaultInstance()).getImagesList().stream()
                .noneMatch(each -> each.getId().equals(image.getId())));
    }

    @Test
    void withoutATagItIsLatest() {
        remove(id("three-a"));
        CRI.pull(CRI.images().reference("three-a"));
        assertEquals(List.of(CRI.images().reference("three-a:latest")), present(CRI.images().reference("three-a")).getRepoTagsList());
        remove(CRI.images().reference("three-a"));
    }

    @Test
    void anImageIsPulledByDigest() {
        String name = CRI.images().reference("three-a@" + CRI.images().image("three-a").digest());
        // A test before may have left it, with its tag.
        remove(id("three-a"));
        CRI.pull(name);
        Image image = present(name);
        assertEquals(List.of(), image.getRepoTagsList());
        assertEquals(List.of(name), image.getRepoDigestsList());
        remove(name);
        assertEquals(Optional.empty(), find(name));
    }

    @Test
    void anImageIsFoundByTagDigestAndId() {
        String name = CRI.images().reference("three-a:latest");
        String pulled = CRI.pull(name);
        Image image = present(name);
        for (String other : List.of(image.getId(), pulled, image.getRepoDigests(0), image.getId().substring("sha256:".length()))) {
            assertEquals(image.getId(), present(other).getId(), other);
        }
        remove(image.getId());
        assertEquals(Optional.empty(), find(name));
    }

    @Test
    void theSameImageByThreeTagsIsOne() {
        for (String tag : List.of("1", "2", "3")) {
            CRI.pull(CRI.images().reference("tags:" + tag));
        }
        Image image = present(CRI.images().reference("tags:2"));
        assertEquals(Set.of(CRI.images().reference("tags:1"), CRI.images().reference("tags:2"), CRI.images().reference("tags:3")),
                Set.copyOf(image.getRepoTagsList()));
        assertEquals(1, CRI.imageService().listImages(ListImagesRequest.getDefaultInstance()).getImagesList().stream()
                .filter(each -> each.getId().equals(image.getId())).count());
        remove(CRI.images().reference("tags:1"));
        for (String tag : List.of("1", "2", "3")) {
            assertEquals(Optional.empty(), find(CRI.images().reference("tags:" + tag)), tag);
        }
    }

    @Test
    void threeImagesAreThreeInTheList() {
        List<String> names = List.of("three-a", "three-b", "three-c");
        names.forEach(CRI::pulled);
        List<String> ids = CRI.imageService().listImages(ListImagesRequest.getDefaultInstance()).getImagesList().stream()
                .map(Image::getId).toList();
        names.forEach(name -> assertEquals(1, ids.stream().filter(id(name)::equals).count(), name));
        List<String> streamed = new ArrayList<>();
        CRI.imageService().streamImages(StreamImagesRequest.getDefaultInstance())
                .forEachRemaining(part -> part.getImagesList().forEach(image -> streamed.add(image.getId())));
        assertEquals(Set.copyOf(ids), Set.copyOf(streamed));
        assertEquals(ids.size(), streamed.size());
        names.forEach(name -> remove(CRI.images().reference(name)));
    }

    @Test
    void listsAreFilteredByName() {
        String name = CRI.pulled("three-b");
        assertEquals(List.of(id("three-b")), list(name).stream().map(Image::getId).toList());
        assertEquals(List.of(), list(CRI.images().reference("absent:1")));
        remove(name);
    }

    @Test
    void fromTwoRegistriesItIsStillOneImage() {
        String here = CRI.images().reference("three-c:latest");
        String there = CRI.images().otherReference("three-c:latest");
        assertEquals(CRI.pull(here), CRI.pull(there));
        assertEquals(Set.of(here, there), Set.copyOf(present(here).getRepoTagsList()));
        remove(here);
        assertEquals(Optional.empty(), find(there));
    }

    @Test
    void removingWhatIsNotThereSucceeds() {
        remove(CRI.images().reference("absent:1"));
    }

    @Test
    void anImageThatIsNotThereHasAnEmptyStatus() {
        assertEquals(Optional.empty(), find(CRI.images().reference("absent:1")));
    }

    @Test
    void manyRemovalsAtOnceSucceed() {
        String name = CRI.pulled("three-a");
        try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
            var removals = java.util.stream.IntStream.range(0, 8).mapToObj(i -> CompletableFuture.runAsync(() -> remove(name), threads))
                    .toArray(CompletableFuture[]::new);
            CompletableFuture.allOf(removals).join();
        }
        assertEquals(Optional.empty(), find(name));
    }

    @Test
    void manyPullsAtOnceAreOneImage() {
        String name = CRI.images().reference("three-b:latest");
        try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
            List<CompletableFuture<String>> pulls = java.util.stream.IntStream.range(0, 8)
                    .mapToObj(i -> CompletableFuture.supplyAsync(() -> CRI.pull(name), threads)).toList();
            assertEquals(1, pulls.stream().map(CompletableFuture::join).distinct().count());
        }
        remove(name);
    }

    @Test
    void theImagesUserIsTold() {
        Image number = present(CRI.pulled("user-number"));
        assertEquals(1002, number.getUid().getValue());
        assertEquals("", number.getUsername());
        Image name = present(CRI.pulled("user-names"));
        assertEquals("sailor", name.getUsername());
        assertFalse(name.hasUid());
        Image both = present(CRI.pulled("user-numbers"));
        assertEquals(1003, both.getUid().getValue());
        Image nobody = present(CRI.images().busybox());
        assertEquals(0, nobody.getUid().getValue());
        assertEquals("", nobody.getUsername());
    }

    @Test
    void anImageHasOneNameForAllCalls() {
        String name = CRI.pulled("three-a");
        String pulled = CRI.pull(name);
        Image image = present(name);
        String container = CRI.create(CRI.pod(), config -> config.setImage(Cri.image(image.getId())), "true");
        var status = CRI.status(container);
        assertEquals(image.getId(), status.getImageId());
        assertTrue(List.of(image.getId(), image.getRepoDigests(0)).contains(status.getImageRef()), status::getImageRef);
        assertEquals(image.getId(), present(pulled).getId());
        assertEquals(image.getId(), list(name).getFirst().getId());
    }

    @Test
    void moreIsToldWhenAskedFor() {
        var answer = CRI.imageService().imageStatus(ImageStatusRequest.newBuilder().setImage(Cri.image(CRI.images().busybox()))
                .setVerbose(true).build());
        assertFalse(answer.getInfoMap().isEmpty());
    }

    @Test
    void whatIsNotInTheRegistryCannotBePulled() {
        Cri.refused(() -> CRI.pull(CRI.images().reference("absent:1")));
        Cri.refused(() -> CRI.pull(CRI.images().reference("busybox:absent")));
        Cri.refused(() -> CRI.pull(CRI.images().reference("busybox@sha256:" + "0".repeat(64))));
        Cri.refused(() -> CRI.pull("127.0.0.1:1/nobody/listens:1"));
        Cri.refused(() -> CRI.pull("NOT A NAME"));
        Cri.refused(() -> CRI.pull(""));
    }

    @Test
    void aRunningContainerOutlivesTheRemovalOfItsImage() {
        String name = CRI.pulled("three-c");
        var pod = CRI.pod();
        String container = CRI.sleeper(pod, config -> config.setImage(Cri.image(name)));
        remove(name);
        assertEquals("here\n", CRI.out(container, "cat", "/desk/here"));
        assertFalse(CRI.status(container).getImageRef().isEmpty());
    }
}
