package io.berth.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.berth.cli.scratch.BusyboxImage;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** A real registry on loopback. Closing it ends it; its files are in the directory that it was given. */
final class LocalRegistry implements AutoCloseable {

    private final Process process;
    private final int port;
    private final Path directory;

    private LocalRegistry(Process process, int port, Path directory) {
        this.process = process;
        this.port = port;
        this.directory = directory;
    }

    /** Starts it in {@code directory}, which is made. */
    static LocalRegistry start(Path directory) throws IOException, InterruptedException {
        return start(directory, "headers: {}", "health: {}");
    }

    /** As above, with a further line of YAML below {@code http} and one beside it. */
    static LocalRegistry start(Path directory, String http, String more) throws IOException, InterruptedException {
        int port;
        try (ServerSocket socket = new ServerSocket(0)) {
            port = socket.getLocalPort();
        }
        Files.createDirectories(directory);
        Path config = Files.writeString(directory.resolve("config.yml"), """
                version: 0.1
                log: {level: error}
                storage: {filesystem: {rootdirectory: %s}, cache: {}}
                http:
                  addr: "127.0.0.1:%d"
                  %s
                %s
                """.formatted(directory.resolve("data"), port, http, more));
        Process process = new ProcessBuilder("docker-registry", "serve", config.toString()).redirectErrorStream(true)
                .redirectOutput(directory.resolve("log").toFile()).start();
        for (int i = 0; i < 200 && !answers(port); i++) {
            Thread.sleep(50);
        }
        return new LocalRegistry(process, port, directory);
    }

    String host() {
        return "127.0.0.1:" + port;
    }

    /** Pushes a busybox image whose page is its name, with further options of skopeo; what it is called for a pull. */
    String push(String name, String... options) throws IOException, InterruptedException {
        BusyboxImage.write(directory.resolve(name), name + "\n");
        String image = host() + "/" + name + ":1";
        List<String> command = new ArrayList<>(List.of("skopeo", "--insecure-policy", "copy", "--dest-tls-verify=false"));
        command.addAll(List.of(options));
        command.addAll(List.of("oci:" + directory.resolve(name), "docker://" + image));
        Process copy = new ProcessBuilder(command).redirectErrorStream(true)
                .redirectOutput(directory.resolve("copy.log").toFile()).start();
        assertTrue(copy.waitFor(60, TimeUnit.SECONDS));
        assertEquals(0, copy.exitValue(), Files.readString(directory.resolve("copy.log")));
        return image;
    }

    private static boolean answers(int port) {
        try (Socket socket = new Socket()) {
            socket.connect(new InetSocketAddress("127.0.0.1", port), 1000);
            return true;
        } catch (IOException notYet) {
            return false;
        }
    }

    @Override
    public void close() throws InterruptedException {
        process.destroy();
        process.waitFor(10, TimeUnit.SECONDS);
    }
}
