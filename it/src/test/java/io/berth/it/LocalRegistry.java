package io.berth.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.berth.base.Digest;
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
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** A real registry on loopback. Closing it ends it; its files are in the directory that it was given. */
final class LocalRegistry implements AutoCloseable {

    private static final Pattern ACCESS = Pattern.compile(
            "\"([A-Z]+) (\\S+) HTTP/[0-9.]+\" ([0-9]+) ([0-9]+) \"[^\"]*\" \"([^\"]*)\"");

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
        Path layout = directory.resolve(name);
        BusyboxImage.write(layout, name + "\n");
        return pushLayout(name, layout, options);
    }

    /** Pushes the only image of an OCI layout as it is; what it is called for a pull. */
    String pushLayout(String name, Path layout, String... options) throws IOException, InterruptedException {
        String image = host() + "/" + name + ":1";
        List<String> command = new ArrayList<>(List.of("skopeo", "--insecure-policy", "copy", "--dest-tls-verify=false"));
        command.addAll(List.of(options));
        command.addAll(List.of("oci:" + layout, "docker://" + image));
        Process copy = new ProcessBuilder(command).redirectErrorStream(true)
                .redirectOutput(directory.resolve("copy.log").toFile()).start();
        assertTrue(copy.waitFor(60, TimeUnit.SECONDS));
        assertEquals(0, copy.exitValue(), Files.readString(directory.resolve("copy.log")));
        return image;
    }

    /**
     * An answer that it gave.
     *
     * @param bytes of the body, as they were sent
     * @param agent what the client calls itself
     */
    record Answer(String method, String path, int status, long bytes, String agent) {}

    /** What it has answered so far, in the order of the ends, as its log has it. */
    List<Answer> answers() throws IOException {
        return Files.readAllLines(directory.resolve("log")).stream().map(ACCESS::matcher).filter(Matcher::find)
                .map(line -> new Answer(line.group(1), line.group(2), Integer.parseInt(line.group(3)),
                        Long.parseLong(line.group(4)), line.group(5))).toList();
    }

    /** How many bytes of {@code blob} have been fetched from it. */
    long bytesOf(Digest blob) throws IOException {
        return answers().stream().filter(answer -> answer.method().equals("GET") && answer.path().endsWith("/blobs/" + blob))
                .mapToLong(Answer::bytes).sum();
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
