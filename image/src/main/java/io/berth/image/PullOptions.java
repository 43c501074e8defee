package io.berth.image;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;

/**
 * How pulls behave.
 *
 * @param certsDirectory where {@code <host>/hosts.toml} are; empty for none
 * @param platform whose manifest is taken from an index
 * @param concurrentLayers layers of one image that are fetched at the same time
 * @param stallLimit how long a connection may bring no byte before it is given up
 * @param attempts how often a request is made before its failure is final
 * @param firstBackoff wait before the second attempt, doubled for each further one
 * @param longestBackoff most that is waited, also when the registry asks for more
 * @param layerSizeLimit largest compressed layer, in bytes
 */
public record PullOptions(Optional<Path> certsDirectory, Platform platform, int concurrentLayers, Duration stallLimit,
        Duration connectLimit, int attempts, Duration firstBackoff, Duration longestBackoff, long layerSizeLimit) {

    public static PullOptions defaults() {
        return new PullOptions(Optional.empty(), Platform.host(), 3, Duration.ofSeconds(60), Duration.ofSeconds(15), 5,
                Duration.ofMillis(500), Duration.ofSeconds(30), 128L << 30);
    }

    public PullOptions withCertsDirectory(Path directory) {
        return new PullOptions(Optional.of(directory), platform, concurrentLayers, stallLimit, connectLimit, attempts,
                firstBackoff, longestBackoff, layerSizeLimit);
    }

    public PullOptions withStallLimit(Duration limit) {
        return new PullOptions(certsDirectory, platform, concurrentLayers, limit, connectLimit, attempts, firstBackoff,
                longestBackoff, layerSizeLimit);
    }

    public PullOptions withBackoff(int attemptCount, Duration first, Duration longest) {
        return new PullOptions(certsDirectory, platform, concurrentLayers, stallLimit, connectLimit, attemptCount,
                first, longest, layerSizeLimit);
    }
}
