package io.berth.cli.bench;

import io.berth.base.RuntimeFault;
import io.berth.linux.Command;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

/** A registry on loopback, in its own directory; closing ends it. */
final class LoopbackRegistry implements AutoCloseable {

    private static final Duration PATIENCE = Duration.ofSeconds(20);

    private final Process process;
    private final int port;

    LoopbackRegistry(Path directory) {
        try (ServerSocket free = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            port = free.getLocalPort();
            Files.createDirectories(directory);
            Path config = Files.writeString(directory.resolve("config.yml"), """
                    version: 0.1
                    log: {level: error}
                    storage: {filesystem: {rootdirectory: %s}}
                    http: {addr: 127.0.0.1:%d}
                    """.formatted(directory.resolve("data"), port));
            free.close();
            process = new ProcessBuilder("docker-registry", "serve", config.toString()).redirectErrorStream(true)
                    .redirectOutput(directory.resolve("log").toFile()).start();
        } catch (IOException e) {
            throw RuntimeFault.precondition("start a registry: " + RuntimeFault.reason(e)
                    + ": install the package docker-registry");
        }
        await();
    }

    private void await() {
        long deadline = System.nanoTime() + PATIENCE.toNanos();
        while (!answers()) {
            if (!process.isAlive() || System.nanoTime() > deadline) {
                close();
                throw RuntimeFault.internal("start a registry: it does not answer", null);
            }
            OwnContainerd.pause(10);
        }
    }

    private boolean answers() {
        try (Socket socket = new Socket()) {
            socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), 1000);
            return true;
        } catch (IOException notYet) {
            return false;
        }
    }

    /** Puts an OCI layout's image {@code bench} in; the reference to pull it by. */
    String push(Path layout, String tag) {
        String reference = "127.0.0.1:" + port + "/bench/layers:" + tag;
        Command.Output output = Command.of(List.of("skopeo", "copy", "-q", "--dest-tls-verify=false",
                "oci:" + layout + ":bench", "docker://" + reference), Duration.ofMinutes(5)).run();
        if (output.exitCode() != 0) {
            throw RuntimeFault.internal("push to the bench's registry: " + output.stderrText().strip(), null);
        }
        return reference;
    }

    @Override
    public void close() {
        process.destroy();
        try {
            process.waitFor();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
