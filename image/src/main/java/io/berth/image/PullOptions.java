package io.berth.image;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;

/**
 * How pulls behave.
 *
 * @param files what is configured about registries; each is read again when it is needed
 * @param platform whose manifest is taken from an index
 * @param concurrentLayers layers of one image that are fetched and unpacked at the same time
 * @param rangesPerBlob connections over which one large blob is fetched; 1 for one
 * @param stallLimit how long a whole pull may bring nothing before it is given up; a single connection gets half of it
 * @param attempts how often a request is made before its failure is final
 * @param firstBackoff wait before the second attempt, doubled for each further one
 * @param longestBackoff most that is waited, also when the registry asks for more
 * @param layerSizeLimit largest compressed layer, in bytes
 * @param abandonedLimit how long a pull goes on when nobody waits for it any more
 * @param discardUnpacked whether a layer's blob is removed when the unpacked layer is safely on the disk
 */
public record PullOptions(Files files, Platform platform, int concurrentLayers, int rangesPerBlob, Duration stallLimit,
        Duration connectLimit, int attempts, Duration firstBackoff, Duration longestBackoff, long layerSizeLimit,
        Duration abandonedLimit, boolean discardUnpacked) {

    /**
     * Files that an operator writes. A file that is not there counts as empty.
     *
     * @param certsDirectory where {@code <host>/hosts.toml} are
     * @param registries a {@code registries.conf}
     * @param credentials a {@code config.json} as docker writes it
     * @param policy a {@code policy.json}, which says whose images are accepted
     */
    public record Files(Optional<Path> certsDirectory, Optional<Path> registries, Optional<Path> credentials,
            Optional<Path> policy) {
        public static final Files NONE = new Files(Optional.empty(), Optional.empty(), Optional.empty(), Optional.empty());
    }

    public static PullOptions defaults() {
        return new PullOptions(Files.NONE, Platform.host(), 3, 3, Duration.ofSeconds(60), Duration.ofSeconds(15), 5,
                Duration.ofMillis(500), Duration.ofSeconds(30), 128L << 30, Duration.ofMinutes(10), true);
    }

    /** How long one connection may bring no byte: short enough for another attempt within the limit of the pull. */
    Duration connectionStallLimit() {
        return stallLimit.dividedBy(2);
    }

    public PullOptions withFiles(Files changed) {
        return new PullOptions(changed, platform, concurrentLayers, rangesPerBlob, stallLimit, connectLimit, attempts,
                firstBackoff, longestBackoff, layerSizeLimit, abandonedLimit, discardUnpacked);
    }

    public PullOptions withCertsDirectory(Path directory) {
        return withFiles(new Files(Optional.of(directory), files.registries, files.credentials, files.policy));
    }

    public PullOptions withConcurrency(int layers, int ranges) {
        return new PullOptions(files, platform, layers, ranges, stallLimit, connectLimit, attempts, firstBackoff,
                longestBackoff, layerSizeLimit, abandonedLimit, discardUnpacked);
    }

    public PullOptions withStallLimit(Duration limit) {
        return new PullOptions(files, platform, concurrentLayers, rangesPerBlob, limit, connectLimit, attempts,
                firstBackoff, longestBackoff, layerSizeLimit, abandonedLimit, discardUnpacked);
    }

    public PullOptions withAbandonedLimit(Duration limit) {
        return new PullOptions(files, platform, concurrentLayers, rangesPerBlob, stallLimit, connectLimit, attempts,
                firstBackoff, longestBackoff, layerSizeLimit, limit, discardUnpacked);
    }

    public PullOptions withBackoff(int attemptCount, Duration first, Duration longest) {
        return new PullOptions(files, platform, concurrentLayers, rangesPerBlob, stallLimit, connectLimit, attemptCount,
                first, longest, layerSizeLimit, abandonedLimit, discardUnpacked);
    }

    public PullOptions withDiscardUnpacked(boolean discard) {
        return new PullOptions(files, platform, concurrentLayers, rangesPerBlob, stallLimit, connectLimit, attempts,
                firstBackoff, longestBackoff, layerSizeLimit, abandonedLimit, discard);
    }
}
