package io.berth.image;

import io.berth.base.Digest;
import io.berth.base.RuntimeFault;
import io.berth.base.Timeline;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Predicate;
import java.util.regex.Pattern;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The images that are there, with their names. Durable: a file for each under {@code <root>/images}, written beside and
 * renamed; blobs under {@code <root>/content}. {@link #list} and {@link #find} answer from memory and never wait.
 *
 * <p>Thread-safe. A tag names one image: putting another one under it takes it away from the older, which keeps its
 * digest names.
 */
public final class Images {

    private static final Logger LOG = LoggerFactory.getLogger(Images.class);
    private static final Pattern ID_PREFIX = Pattern.compile("[a-f0-9]{12,63}");
    private static final Pattern ID = Pattern.compile("(?:sha256:)?([a-f0-9]{64})");

    private final Path directory;
    private final ContentStore content;
    private final Unpackers unpackers;
    private final Predicate<String> pinned;
    private final LayoutIndex index;
    private final ImageRemovals removals;
    private final ReentrantLock writing = new ReentrantLock();
    private final Map<Digest, Integer> heldChains = new HashMap<>();
    private volatile Map<Digest, Image> byId;
    private volatile MissingBlobs missing = MissingBlobs.NOBODY;

    /** Keeps the blobs and layers of a pull from being collected until it is closed. */
    final class Lease implements AutoCloseable {
        private final ContentStore.Hold blobs = content.hold();
        private final List<Digest> chains = new ArrayList<>();

        void blob(Digest blob) {
            blobs.add(blob);
        }

        void chains(List<Digest> added) {
            writing.lock();
            try {
                added.forEach(chain -> heldChains.merge(chain, 1, Integer::sum));
                chains.addAll(added);
            } finally {
                writing.unlock();
            }
        }

        @Override
        public void close() {
            blobs.close();
            writing.lock();
            try {
                chains.forEach(c -> heldChains.computeIfPresent(c, (d, count) -> count == 1 ? null : count - 1));
            } finally {
                writing.unlock();
            }
        }
    }

    /**
     * Opens the store. A record that cannot be read, or whose configuration blob is damaged, is left out and logged: a
     * new pull repairs it.
     *
     * @param pinned whether an image with this full name is pinned
     */
    public Images(Path root, Unpackers unpackers, Predicate<String> pinned) {
        this.directory = root.resolve("images");
        this.content = new ContentStore(root.resolve("content"));
        this.unpackers = unpackers;
        this.pinned = pinned;
        this.index = new LayoutIndex(content);
        try {
            Files.createDirectories(directory);
            this.byId = load();
            this.removals = new ImageRemovals(directory);
            finishRemovals();
            if (!Files.exists(content.directory().resolve("index.json"))) {
                index.write(byId.values());
            }
        } catch (IOException e) {
            throw ContentStore.fault("open image store", directory, e);
        }
    }

    /**
     * Whether a container can be made of the image without a registry: its layers are unpacked there, or their blobs are here.
     *
     * @param snapshotter empty for the usual one
     */
    public boolean isUsable(Image image, String snapshotter) {
        return image.layers().stream().allMatch(content::has)
                || image.chainIds().stream().allMatch(unpackers.of(snapshotter)::has);
    }

    /** The blobs. */
    public ContentStore content() {
        return content;
    }

    /** Where layers are unpacked. */
    Unpackers unpackers() {
        return unpackers;
    }

    /** Sets who is asked for blobs that the store has no more. */
    void missingBlobs(MissingBlobs source) {
        this.missing = source;
    }

    MissingBlobs missingBlobs() {
        return missing;
    }

    Lease lease() {
        return new Lease();
    }

    /** All images, the one pulled last first. */
    public List<Image> list() {
        return byId.values().stream()
                .sorted(Comparator.comparing(Image::pulledAt).reversed().thenComparing(Image::id)).toList();
    }

    /**
     * The image that {@code text} means: its id with or without {@code sha256:}, a name with tag or digest in short or
     * full form, or else at least twelve digits with which one id alone begins. Text that means nothing is empty.
     */
    public Optional<Image> find(String text) {
        Map<Digest, Image> now = byId;
        var id = ID.matcher(text);
        if (id.matches()) {
            return Optional.ofNullable(now.get(new Digest("sha256", id.group(1))));
        }
        Optional<Image> named = byName(now, text);
        if (named.isPresent() || !ID_PREFIX.matcher(text).matches()) {
            return named;
        }
        List<Image> begun = now.values().stream().filter(image -> image.id().hex().startsWith(text)).toList();
        return begun.size() == 1 ? Optional.of(begun.getFirst()) : Optional.empty();
    }

    private static Optional<Image> byName(Map<Digest, Image> now, String text) {
        ImageReference reference;
        try {
            reference = ImageReference.parse(text);
        } catch (RuntimeFault notAReference) {
            return Optional.empty();
        }
        Optional<String> tag = reference.repoTag();
        Optional<String> digest = reference.digest().map(reference::repoDigest);
        return now.values().stream().filter(image -> tag.map(image.repoTags()::contains).orElse(false)
                || digest.map(image.repoDigests()::contains).orElse(false)).findFirst();
    }

    /** Stores the image; names of an image with the same id are kept beside the new ones. Returns what is stored. */
    public Image put(Image image) {
        writing.lock();
        try {
            Image old = byId.get(image.id());
            Image stored = pin(old == null ? image : image.withNames(
                    union(old.repoTags(), image.repoTags()), union(old.repoDigests(), image.repoDigests())));
            Map<Digest, Image> next = new LinkedHashMap<>(byId);
            List<Image> changed = new ArrayList<>();
            next.replaceAll((id, other) -> {
                if (id.equals(stored.id()) || other.repoTags().stream().noneMatch(stored.repoTags()::contains)) {
                    return other;
                }
                Image without = pin(other.withNames(other.repoTags().stream()
                        .filter(tag -> !stored.repoTags().contains(tag)).toList(), other.repoDigests()));
                changed.add(without);
                return without;
            });
            next.put(stored.id(), stored);
            // The new owner of a tag is written first: after a crash in between, load() lets the younger image have it.
            write(stored);
            changed.forEach(this::write);
            publish(next);
            return stored;
        } finally {
            writing.unlock();
        }
    }

    /**
     * Removes the image that {@code text} means, with all its names, its blobs and the layers that nothing else needs.
     * Nothing happens when there is none.
     *
     * @return the image that was removed
     */
    public Optional<Image> remove(String text) {
        writing.lock();
        try {
            Optional<Image> found = find(text);
            if (found.isEmpty()) {
                // Perhaps the repetition of a call that got as far as the record.
                finishRemovals();
            }
            found.ifPresent(image -> {
                Timeline.Operation steps = Timeline.unrecorded("RemoveImage");
                steps.run("intent", () -> removals.intend(image));
                steps.run("record", () -> deleteRecord(image));
                Map<Digest, Image> next = new LinkedHashMap<>(byId);
                next.remove(image.id());
                steps.run("index", () -> publish(next));
                steps.run("content", this::finishRemovals);
            });
            return found;
        } finally {
            writing.unlock();
        }
    }

    // An image that came back meanwhile needs what it has: collect() sees that.
    private void finishRemovals() {
        removals.finish(this::collect);
    }

    private void deleteRecord(Image image) {
        try {
            Files.deleteIfExists(file(image.id()));
        } catch (IOException e) {
            throw ContentStore.fault("remove image", image.id(), e);
        }
    }

    /**
     * Removes what no image needs: blobs that failed pulls left longer than {@code age} ago, and layers that were in use
     * when their image was removed.
     */
    public void sweep(Duration age) {
        content.removeStalePartials(age);
        // Before the lock: a snapshotter may take its time. What is unpacked since is not meant, what is needed since is seen below.
        List<Digest> chains = unpackers.chains();
        writing.lock();
        try {
            finishRemovals();
            List<Digest> blobs = content.blobs().stream()
                    .filter(blob -> content.isOlder(blob, age)).toList();
            collect(blobs, chains);
        } finally {
            writing.unlock();
        }
    }

    /**
     * Removes the blobs of layers that are unpacked and safely on the disk; waits for the disk. What a pull uses stays, and so
     * does everything where another snapshotter may want to unpack it too.
     */
    void discardUnpacked(Image image) {
        if (unpackers.areSeveral()) {
            return;
        }
        Unpacker unpacker = unpackers.of("");
        try {
            unpacker.awaitDurable();
            if (image.chainIds().stream().allMatch(unpacker::has)) {
                image.layers().forEach(content::delete);
            }
        } catch (RuntimeFault e) {
            // Room on the disk is all that is lost; the next pull of the image tries again.
            LOG.atWarn().addKeyValue("image", image.id()).setCause(e).log("discard blobs of unpacked layers");
        }
    }

    /** What the blobs and records take on the disk, directories included. */
    public ContentStore.Usage usage() {
        ContentStore.Usage blobs = content.usage();
        ContentStore.Usage records = ContentStore.usage(directory);
        return new ContentStore.Usage(blobs.bytes() + records.bytes(), blobs.files() + records.files());
    }

    private void collect(Collection<Digest> blobs, List<Digest> chains) {
        Set<Digest> neededBlobs = new HashSet<>();
        Set<Digest> neededChains = new HashSet<>(heldChains.keySet());
        for (Image image : byId.values()) {
            neededBlobs.addAll(image.blobs());
            neededChains.addAll(image.chainIds());
        }
        blobs.stream().filter(blob -> !neededBlobs.contains(blob)).forEach(content::delete);
        List<Digest> candidates = new ArrayList<>(chains.stream().filter(c -> !neededChains.contains(c)).toList());
        // A layer goes only after those that stand on it, and a list of chains has no order: repeat while some go.
        boolean progress = true;
        Map<Unpacker, RuntimeFault> away = new HashMap<>();
        while (progress && !candidates.isEmpty()) {
            int before = candidates.size();
            candidates = new ArrayList<>(candidates.reversed().stream().filter(c -> !unpackers.remove(c, away)).toList());
            candidates = new ArrayList<>(candidates.reversed());
            progress = candidates.size() < before;
        }
        if (!away.isEmpty()) {
            throw away.values().iterator().next();
        }
    }

    private void publish(Map<Digest, Image> next) {
        byId = Map.copyOf(next);
        try {
            index.write(list());
        } catch (IOException | RuntimeFault e) {
            // Only other tools read it, and the next change writes it anew.
            LOG.atWarn().addKeyValue("store", content.directory()).setCause(e).log("write index.json");
        }
    }

    private void write(Image image) {
        try {
            ContentStore.replace(file(image.id()), ImageRecord.write(image));
        } catch (IOException e) {
            throw ContentStore.fault("write image record", image.id(), e);
        }
    }

    private Map<Digest, Image> load() throws IOException {
        Map<Digest, Image> found = new LinkedHashMap<>();
        Set<String> taken = new HashSet<>();
        List<Image> read = new ArrayList<>();
        try (DirectoryStream<Path> files = Files.newDirectoryStream(directory, "*.json")) {
            for (Path file : files) {
                try {
                    read.add(ImageRecord.read(file, Files.readAllBytes(file), content));
                } catch (RuntimeFault | IOException e) {
                    LOG.atWarn().addKeyValue("file", file).setCause(e).log("image left out: pull it again");
                }
            }
        }
        read.sort(Comparator.comparing(Image::pulledAt).reversed());
        for (Image image : read) {
            List<String> tags = image.repoTags().stream().filter(taken::add).toList();
            found.put(image.id(), pin(image.withNames(tags, image.repoDigests())));
        }
        return Map.copyOf(found);
    }

    private Image pin(Image image) {
        return image.withPinned(image.repoTags().stream().anyMatch(pinned)
                || image.repoDigests().stream().anyMatch(pinned));
    }

    private Path file(Digest id) {
        return directory.resolve(ImageRecord.fileName(id));
    }

    private static List<String> union(List<String> a, List<String> b) {
        Set<String> all = new HashSet<>(a);
        all.addAll(b);
        return List.copyOf(all);
    }
}
