package io.berth.cli;

import io.berth.base.RuntimeFault;
import io.berth.cli.client.Connection;
import io.berth.cli.client.DaemonFault;
import io.berth.cli.client.ExitCode;
import io.berth.cli.client.FindContainer;
import io.berth.cli.client.RemoteProcess;
import io.berth.cli.copy.ReadArchive;
import io.berth.cli.copy.WriteArchive;
import io.berth.cri.v1.ExecRequest;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.PipedInputStream;
import java.io.PipedOutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** {@code berth cp}: copies files between this machine and a running container that has tar. */
@Command(name = "cp", description = "Copy files or directories to or from a running container, which must have tar.",
        mixinStandardHelpOptions = true, footerHeading = "%nExamples:%n", footer = {"  berth cp web:/etc/nginx ./nginx",
            "  berth cp app.conf web:/etc/app/", "  berth cp ./site pod/web:/srv"})
final class CpCommand extends DaemonCommand {

    private static final int PIPE_BYTES = 1 << 16;

    @Parameters(index = "0", paramLabel = "FROM", description = "PATH or CONTAINER:PATH.")
    private String from;

    @Parameters(index = "1", paramLabel = "TO", description = "PATH or CONTAINER:PATH. A directory that exists takes the thing in.")
    private String to;

    private record Place(Optional<String> container, String path) {

        static Place parse(String words) {
            int colon = words.indexOf(':');
            boolean local = colon <= 0 || words.startsWith("/") || words.startsWith(".");
            return local ? new Place(Optional.empty(), words)
                    : new Place(Optional.of(words.substring(0, colon)), words.substring(colon + 1));
        }
    }

    @Override
    int run(Connection berth) throws IOException {
        Place source = Place.parse(from);
        Place target = Place.parse(to);
        if (source.container.isPresent() == target.container.isPresent() || source.path.isEmpty() || target.path.isEmpty()) {
            throw new DaemonFault(ExitCode.USAGE, "copy " + from + " to " + to
                    + ": one side must be CONTAINER:PATH and the other a path of this machine");
        }
        if (source.container.isPresent()) {
            fetch(berth, FindContainer.named(berth, source.container.get()).getId(), source.path, Path.of(target.path));
        } else {
            send(berth, Path.of(source.path), FindContainer.named(berth, target.container.get()).getId(), target.path);
        }
        return 0;
    }

    private void fetch(Connection berth, String container, String source, Path target) throws IOException {
        Path path = Path.of("/").resolve(source).normalize();
        if (path.getFileName() == null) {
            throw new DaemonFault(ExitCode.USAGE, "copy / of a container: name something below it");
        }
        String name = path.getFileName().toString();
        Path here = (Files.isDirectory(target) ? target.resolve(name) : target).toAbsolutePath().normalize();
        try (PipedInputStream archive = new PipedInputStream(PIPE_BYTES)) {
            PipedOutputStream stdout = new PipedOutputStream(archive);
            CompletableFuture<Integer> written = CompletableFuture.supplyAsync(() -> new ReadArchive(
                    skipped -> err().println("berth: left out " + skipped)).read(archive, name, here));
            tar(berth, container, List.of("tar", "cf", "-", "-C", path.getParent().toString(), name), Optional.empty(), stdout);
            stdout.close();
            written.join();
        } catch (CompletionException e) {
            throw RuntimeFault.during("copy " + from, e.getCause());
        }
    }

    private void send(Connection berth, Path source, String container, String target) throws IOException {
        if (!Files.exists(source)) {
            throw RuntimeFault.notFound("copy " + source + ": there is no such file");
        }
        boolean intoDirectory = target.endsWith("/") || isDirectory(berth, container, target);
        Path path = Path.of("/").resolve(target).normalize();
        Path full = source.toAbsolutePath().normalize();
        Path parent = intoDirectory || path.getParent() == null ? path : path.getParent();
        String name = intoDirectory || path.getParent() == null ? full.getFileName().toString() : path.getFileName().toString();
        try (PipedInputStream archive = new PipedInputStream(PIPE_BYTES)) {
            PipedOutputStream packed = new PipedOutputStream(archive);
            Thread.ofPlatform().daemon().name("pack").start(() -> pack(full, name, packed));
            // Never "-p" or owners: what arrives belongs to whom the container runs as.
            tar(berth, container, List.of("tar", "xf", "-", "-C", parent.toString()), Optional.of(archive),
                    OutputStream.nullOutputStream());
        }
    }

    private static void pack(Path source, String name, PipedOutputStream packed) {
        try (packed) {
            WriteArchive.write(source, name, packed);
        } catch (IOException theReaderHasGone) {
            // The container's tar tells why.
        }
    }

    private static boolean isDirectory(Connection berth, String container, String path) {
        return exec(berth, container, List.of("test", "-d", path), Optional.empty(), OutputStream.nullOutputStream(),
                OutputStream.nullOutputStream()) == 0;
    }

    private static void tar(Connection berth, String container, List<String> command, Optional<InputStream> in,
            OutputStream out) {
        ByteArrayOutputStream words = new ByteArrayOutputStream();
        int code = exec(berth, container, command, in, out, words);
        if (code != 0) {
            throw new DaemonFault(ExitCode.FAILED, "copy: tar in the container ended with " + code + ": "
                    + words.toString(java.nio.charset.StandardCharsets.UTF_8).strip().replace('\n', ';'));
        }
    }

    private static int exec(Connection berth, String container, List<String> command, Optional<InputStream> in,
            OutputStream out, OutputStream words) {
        String url = berth.runtime().exec(ExecRequest.newBuilder().setContainerId(container).addAllCmd(command)
                .setStdin(in.isPresent()).setStdout(true).setStderr(true).build()).getUrl();
        try (RemoteProcess process = RemoteProcess.connect(url)) {
            if (in.isPresent() && !process.canEndInput()) {
                throw new DaemonFault(ExitCode.OTHER_VERSION, "copy into a container: this runtime's streaming server cannot be"
                        + " told that the input ends (it lacks v5.channel.k8s.io): use kubectl cp");
            }
            return process.run(new RemoteProcess.Streams(in, out, words), Optional.empty())
                    instanceof RemoteProcess.End.Exited(int code) ? code : 1;
        }
    }
}
