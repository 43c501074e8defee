package io.berth.cli;

import io.berth.server.Daemon;
import io.berth.server.config.ConfigFile;
import io.berth.server.log.Log;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code berth serve}: the daemon, in the foreground. SIGTERM ends it and leaves containers running. */
@Command(name = "serve", description = "Run the daemon in the foreground.", mixinStandardHelpOptions = true,
        footerHeading = "%nExamples:%n", footer = {"  berth serve", "  berth serve --config /tmp/try.toml"})
final class ServeCommand implements Callable<Integer> {

    private static final String CARRIERS = "jdk.virtualThreadScheduler.parallelism";
    private static final int LEAST_CARRIERS = 8;

    private static volatile boolean serving;

    @Option(names = "--config", paramLabel = "FILE", description = "Configuration; default: /etc/berth/config.toml.")
    private Optional<Path> config = Optional.empty();

    @Option(names = "--root", paramLabel = "DIR", description = "Images, snapshots and records; default: /var/lib/berth.")
    private Optional<Path> root = Optional.empty();

    @Option(names = "--state", paramLabel = "DIR", description = "Namespaces and bundles; default: /run/berth.")
    private Optional<Path> state = Optional.empty();

    @Option(names = "--socket", paramLabel = "PATH", description = "Where to listen; default: /run/berth/berth.sock.")
    private Optional<Path> socket = Optional.empty();

    /** The command for {@code serve} with options that each have a value and nothing else; empty for anything else. */
    static Optional<ServeCommand> plain(String[] arguments) {
        if (arguments.length % 2 == 0 || !arguments[0].equals("serve")) {
            return Optional.empty();
        }
        ServeCommand command = new ServeCommand();
        for (int at = 1; at < arguments.length; at += 2) {
            Optional<Path> value = Optional.of(Path.of(arguments[at + 1]));
            switch (arguments[at]) {
                case "--config" -> command.config = value;
                case "--root" -> command.root = value;
                case "--state" -> command.state = value;
                case "--socket" -> command.socket = value;
                default -> {
                    return Optional.empty();
                }
            }
        }
        return Optional.of(command);
    }

    @Override
    public Integer call() throws Exception {
        allowWaitingCarriers();
        Map<String, Object> overrides = new LinkedHashMap<>();
        root.ifPresent(path -> overrides.put("root", path.toAbsolutePath().toString()));
        state.ifPresent(path -> overrides.put("state", path.toAbsolutePath().toString()));
        socket.ifPresent(path -> overrides.put("grpc.address", path.toAbsolutePath().toString()));
        ConfigFile.Loaded loaded = ConfigFile.load(config, overrides);
        Log.set(loaded.config().log().level(), loaded.config().log().format());
        serving = true;
        Daemon daemon = Daemon.start(loaded);
        Runtime.getRuntime().addShutdownHook(Thread.ofPlatform().name("shutdown").unstarted(daemon::close));
        daemon.await();
        return 0;
    }

    // A write of a small file occupies its carrier, and on a node of two processors two writes to a busy disk would hold up
    // every answer that comes from memory. The Java machine reads this with its first virtual thread.
    private static void allowWaitingCarriers() {
        if (System.getProperty(CARRIERS) == null) {
            System.setProperty(CARRIERS, Integer.toString(Math.max(LEAST_CARRIERS,
                    Runtime.getRuntime().availableProcessors())));
        }
    }

    static boolean isServing() {
        return serving;
    }
}
