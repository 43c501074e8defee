package io.berth.image;

import io.berth.base.Digest;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Looks whether images are whole on the disk: every blob is read and hashed, every unpacked layer is compared with what
 * was unpacked. Damaged blobs and, where nothing uses them, damaged layers are removed, so that the next pull of the image
 * brings them again. Stateless, thread-safe; reads everything, which takes its time.
 */
public final class VerifyImages {

    private final Images images;
    private final ContentStore content;

    public VerifyImages(Images images) {
        this.images = images;
        this.content = images.content();
    }

    /**
     * Something that is not as it should be.
     *
     * @param object the blob or layer
     * @param cure what brings it back, in words
     */
    public record Finding(Image image, String object, String problem, String cure) {}

    /** Everything that is wrong with one image; empty when all is well. */
    public List<Finding> check(Image image) {
        List<Finding> findings = new ArrayList<>();
        document(image, image.manifest(), "manifest").ifPresent(findings::add);
        document(image, image.id(), "configuration").ifPresent(findings::add);
        image.index().flatMap(index -> document(image, index, "index")).ifPresent(findings::add);
        for (Digest layer : image.layers()) {
            if (content.has(layer) && !content.isSound(layer)) {
                content.discard(layer);
                findings.add(new Finding(image, "blob " + layer, "its bytes do not have this digest", "pull the image again"));
            }
        }
        images.unpackers().all().stream().filter(unpacker -> isMeant(image, unpacker))
                .forEach(unpacker -> layers(image, unpacker, findings));
        return findings;
    }

    private Optional<Finding> document(Image image, Digest blob, String what) {
        if (content.isSound(blob)) {
            return Optional.empty();
        }
        String problem = content.has(blob) ? "its bytes do not have this digest" : "the file is missing";
        content.discard(blob);
        return Optional.of(new Finding(image, what + " " + blob, problem, "pull the image again"));
    }

    // Where there are several snapshotters, not each has each image: one that has nothing of it is not at fault.
    private boolean isMeant(Image image, Unpacker unpacker) {
        return !images.unpackers().areSeveral() || image.chainIds().stream().anyMatch(unpacker::has);
    }

    private void layers(Image image, Unpacker unpacker, List<Finding> findings) {
        List<Digest> chains = image.chainIds();
        int lowest = chains.size();
        for (int i = chains.size() - 1; i >= 0; i--) {
            Optional<String> damage = unpacker.damage(chains.get(i));
            if (damage.isPresent()) {
                lowest = i;
                findings.add(new Finding(image, "unpacked layer " + chains.get(i), damage.get(), ""));
            }
        }
        // What stands on a damaged layer has to go with it, the topmost first.
        boolean removed = true;
        for (int i = chains.size() - 1; i >= lowest && removed; i--) {
            removed = unpacker.remove(chains.get(i));
        }
        String cure = removed ? "pull the image again"
                : "containers use it: remove them, verify again, and pull the image again";
        findings.replaceAll(f -> f.cure.isEmpty() ? new Finding(f.image, f.object, f.problem, cure) : f);
    }
}
