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
@Command(name = "serve", description = "Run the daemon in the foreground.", mixinStandardHelpOptions = true)
final class ServeCommand implements Callable<Integer> {

    private static volatile boolean serving;

    @Option(names = "--config", paramLabel = "FILE", description = "Configuration; default: /etc/berth/config.toml.")
    private Optional<Path> config = Optional.empty();

    @Option(names = "--root", paramLabel = "DIR", description = "Images, snapshots and records; default: /var/lib/berth.")
    private Optional<Path> root = Optional.empty();

    @Option(names = "--state", paramLabel = "DIR", description = "Namespaces and bundles; default: /run/berth.")
    private Optional<Path> state = Optional.empty();

    @Option(names = "--socket", paramLabel = "PATH", description = "Where to listen; default: /run/berth/berth.sock.")
    private Optional<Path> socket = Optional.empty();

    @Override
    public Integer call() throws Exception {
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

    static boolean isServing() {
        return serving;
    }
}
