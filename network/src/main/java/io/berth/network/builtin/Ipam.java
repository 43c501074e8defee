package io.berth.network.builtin;

import io.berth.base.FileAge;
import io.berth.base.RuntimeFault;
import io.berth.network.PortMapping;
import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Predicate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.json.JsonMapper;

/**
 * Hands out addresses of a subnet: one file for each, named by the address, that holds the {@link Lease}. Making the
 * file fails when the name is taken, so neither threads nor processes that share the directory give an address out twice.
 * Thread-safe.
 *
 * <p>A released address goes to {@code released/} and is not given out before the old sandbox's interface is gone: the
 * kernel removes that with the namespace, a moment after the detach, and until then the old pod still answers to it. Free
 * addresses are taken in turn, so the one just released comes last.
 */
final class Ipam {

    private static final Logger LOG = LoggerFactory.getLogger(Ipam.class);
    private static final Duration UNFINISHED = Duration.ofSeconds(10);
    private static final String UNFINISHED_PREFIX = ".";
    private static final JsonMapper JSON = JsonMapper.builder().build();

    private final Path held;
    private final Path released;
    private final Subnet subnet;
    private final Map<String, Lease> bySandbox = new ConcurrentHashMap<>();
    /** Released leases of which the interface may still be there, by index. */
    private final Map<Integer, Lease> leaving = new ConcurrentHashMap<>();
    private final AtomicInteger cursor;

    /** @param directory made when missing; leases in it are taken over */
    Ipam(Path directory, Subnet subnet) {
        this.held = directory;
        this.released = directory.resolve("released");
        this.subnet = subnet;
        try {
            Files.createDirectories(released);
        } catch (IOException e) {
            throw fault("open addresses", directory, e);
        }
        read(held).forEach(lease -> bySandbox.put(lease.sandboxId(), lease));
        read(released).forEach(lease -> leaving.put(lease.index(), lease));
        int highest = bySandbox.values().stream().mapToInt(Lease::index).max().orElse(subnet.firstIndex() - 1);
        this.cursor = new AtomicInteger(highest + 1);
    }

    /** The lease of a sandbox. */
    Optional<Lease> of(String sandboxId) {
        return Optional.ofNullable(bySandbox.get(sandboxId));
    }

    /** All leases that are held. */
    Collection<Lease> all() {
        return List.copyOf(bySandbox.values());
    }

    /**
     * Takes the next free address.
     *
     * @throws RuntimeFault RESOURCE_EXHAUSTED when there is none
     */
    Lease take(String sandboxId, List<PortMapping> ports) {
        int first = subnet.firstIndex();
        int count = subnet.lastIndex() - first + 1;
        for (int tries = 0; tries < count; tries++) {
            int index = first + Math.floorMod(cursor.getAndIncrement() - first, count);
            Lease lease = Lease.of(sandboxId, index, ports);
            if (create(lease)) {
                bySandbox.put(sandboxId, lease);
                return lease;
            }
        }
        throw new RuntimeFault(RuntimeFault.Kind.RESOURCE_EXHAUSTED, "take address for sandbox " + sandboxId
                + ": all " + count + " of " + subnet + " are in use; set a larger subnet, or remove pods");
    }

    private boolean create(Lease lease) {
        Path name = held.resolve(fileName(lease));
        if (leaving.containsKey(lease.index()) || Files.exists(name)) {
            return false;
        }
        try {
            Files.writeString(name, JSON.writeValueAsString(lease), StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
            // Only now: an address that was released just before the file was made is seen here.
            if (Files.exists(released.resolve(fileName(lease)))) {
                Files.delete(name);
                return false;
            }
            return true;
        } catch (FileAlreadyExistsException taken) {
            return false;
        } catch (IOException e) {
            // On a full disk the file is made and stays empty: nobody's address, and nobody would look for it.
            RuntimeFault fault = fault("take address", name, e);
            try {
                Files.deleteIfExists(name);
            } catch (IOException stays) {
                fault.addSuppressed(stays);
            }
            throw fault;
        }
    }

    /** Writes {@code changed} in the place of {@code earlier}, of the same sandbox and address. */
    void replace(Lease earlier, Lease changed) {
        Path name = held.resolve(fileName(earlier));
        Path unfinished = held.resolve(UNFINISHED_PREFIX + fileName(earlier));
        try {
            Files.writeString(unfinished, JSON.writeValueAsString(changed));
            Files.move(unfinished, name, StandardCopyOption.ATOMIC_MOVE);
        } catch (IOException e) {
            throw fault("change address", name, e);
        }
        bySandbox.put(changed.sandboxId(), changed);
    }

    /** Gives the address back; it is free after {@link #sweep} found the interface gone. */
    void release(Lease lease) {
        Path name = held.resolve(fileName(lease));
        leaving.put(lease.index(), lease);
        try {
            Files.move(name, released.resolve(fileName(lease)), StandardCopyOption.ATOMIC_MOVE);
        } catch (NoSuchFileException gone) {
            LOG.atDebug().addKeyValue("address", fileName(lease)).log("address was released before");
        } catch (IOException e) {
            leaving.remove(lease.index(), lease);
            throw fault("release address", name, e);
        }
        bySandbox.remove(lease.sandboxId(), lease);
    }

    /** Frees the released addresses of which {@code interfaceIsGone}; how many are left. */
    int sweep(Predicate<String> interfaceIsGone) {
        for (Lease lease : List.copyOf(leaving.values())) {
            if (!interfaceIsGone.test(lease.hostInterface())) {
                continue;
            }
            Path file = released.resolve(fileName(lease));
            try {
                Files.deleteIfExists(file);
                leaving.remove(lease.index(), lease);
            } catch (IOException e) {
                throw fault("free address", file, e);
            }
        }
        return leaving.size();
    }

    private String fileName(Lease lease) {
        return subnet.address(lease.index()).getHostAddress();
    }

    private static List<Lease> read(Path directory) {
        List<Lease> found = new ArrayList<>();
        try (var files = Files.newDirectoryStream(directory, file -> Files.isRegularFile(file))) {
            for (Path file : files) {
                if (file.getFileName().toString().startsWith(UNFINISHED_PREFIX)) {
                    // Of a process that ended while it changed one: the change has not happened.
                    Files.deleteIfExists(file);
                } else {
                    readOne(file).ifPresent(found::add);
                }
            }
        } catch (IOException e) {
            throw fault("read addresses", directory, e);
        }
        return found;
    }

    private static Optional<Lease> readOne(Path file) throws IOException {
        try {
            return Optional.of(JSON.readValue(Files.readString(file), Lease.class));
        } catch (NoSuchFileException gone) {
            return Optional.empty();
        } catch (JacksonException e) {
            // Cut short by a crash right after it was made: nothing was attached for it yet. A young one may be another
            // process's, which is about to write it.
            if (FileAge.isOlder(file, UNFINISHED)) {
                LOG.atWarn().addKeyValue("file", file).addKeyValue("reason", e.getOriginalMessage())
                        .log("unreadable address file removed");
                Files.deleteIfExists(file);
            }
            return Optional.empty();
        }
    }

    private static RuntimeFault fault(String action, Path path, IOException cause) {
        return RuntimeFault.internal(action + " " + path + ": " + RuntimeFault.reason(cause), cause);
    }
}
