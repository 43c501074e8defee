package io.berth.network;

import io.berth.base.RandomId;
import io.berth.linux.Command;
import io.berth.linux.Links;
import io.berth.linux.Namespace;
import io.berth.linux.Namespaces;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/** A network namespace as a sandbox has it, with commands run in it. */
public final class TestNamespace implements AutoCloseable {

    private final Path directory;
    private final Path file;

    public TestNamespace(Path parent) {
        this.directory = parent.resolve("ns-" + RandomId.hex(4));
        this.file = Namespaces.create(Set.of(Namespace.NET), directory, Links::loopbackUp).get(Namespace.NET);
    }

    public Path file() {
        return file;
    }

    /** Runs a command in the namespace. */
    public Command.Output run(String... command) {
        List<String> all = new ArrayList<>(List.of("nsenter", "--net=" + file));
        all.addAll(List.of(command));
        return TestNamespace.host(all.toArray(String[]::new));
    }

    /** Runs a command on the host. */
    public static Command.Output host(String... command) {
        return Command.of(List.of(command), Duration.ofSeconds(20)).run();
    }

    /** Ends the namespace as the removal of a sandbox does. */
    @Override
    public void close() {
        Namespaces.unpin(file);
        try {
            Files.deleteIfExists(directory);
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }
}
