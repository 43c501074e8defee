package io.berth.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.berth.cli.client.DaemonFault;
import io.grpc.BindableService;
import io.grpc.Server;
import io.grpc.netty.NettyServerBuilder;
import io.berth.cri.v1.RuntimeServiceGrpc;
import io.berth.cri.v1.VersionRequest;
import io.berth.cri.v1.VersionResponse;
import io.grpc.stub.StreamObserver;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.epoll.EpollServerDomainSocketChannel;
import io.netty.channel.unix.DomainSocketAddress;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.SocketException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/** How commands end when the way to the daemon is not there, and what each says about itself. */
@Timeout(60)
class CommandLineTest {

    @TempDir
    private Path directory;

    private record Result(int code, String out, String err) {}

    private static Result berth(String... arguments) {
        StringWriter out = new StringWriter();
        StringWriter err = new StringWriter();
        int code = Main.commandLine().setOut(new PrintWriter(out)).setErr(new PrintWriter(err)).execute(arguments);
        return new Result(code, out.toString(), err.toString());
    }

    private static void assertOneLine(Result result) {
        assertTrue(result.err.startsWith("berth: ") && result.err.indexOf('\n') == result.err.length() - 1,
                () -> "not one line: " + result.err);
    }

    /** Every command that talks to a daemon, with arguments that it accepts. */
    private static List<List<String>> commands() {
        return List.of(List.of("pods"), List.of("ps", "-a"), List.of("images"), List.of("pull", "x"), List.of("rmi", "x"),
                List.of("inspect", "x"), List.of("logs", "x"), List.of("exec", "x", "true"), List.of("attach", "x"),
                List.of("port-forward", "x", ":80"), List.of("cp", "x:/a", "b"), List.of("checkpoint", "x", "/y"), List.of("stats"), List.of("top"),
                List.of("events"), List.of("timeline", "x"), List.of("stop", "x"), List.of("rm", "x"), List.of("df"),
                List.of("status"), List.of("version"), List.of("run", "x"), List.of("image", "list"),
                List.of("image", "pull", "x"), List.of("image", "import", "/x"), List.of("image", "export", "x", "/y"),
                List.of("image", "explain", "x"), List.of("image", "verify"), List.of("image", "prune"),
                List.of("image", "remove", "x"), List.of("console"));
    }

    private static String[] at(Path socket, List<String> command, String... further) {
        // Options go before the arguments: what follows them belongs to the command in a container.
        List<String> line = new ArrayList<>(command);
        int at = command.getFirst().equals("image") ? 2 : 1;
        line.addAll(at, List.of(further));
        line.addAll(at, List.of("--socket", socket.toString()));
        return line.toArray(String[]::new);
    }

    private List<DynamicTest> everyCommand(Path socket, int code, String word, String... further) {
        List<DynamicTest> tests = new ArrayList<>();
        for (List<String> command : commands()) {
            tests.add(DynamicTest.dynamicTest(String.join(" ", command), () -> {
                Result result = berth(at(socket, command, further));
                assertEquals(code, result.code, result.err);
                assertOneLine(result);
                assertTrue(result.err.contains(word), result.err);
            }));
        }
        return tests;
    }

    @TestFactory
    List<DynamicTest> withoutASocketEveryCommandSaysThatNoDaemonRuns() {
        return everyCommand(directory.resolve("none.sock"), 120, "start the daemon");
    }

    @TestFactory
    List<DynamicTest> atASocketThatNobodyServesEveryCommandSaysThatNoDaemonRuns() throws IOException {
        Path path = Path.of("/tmp/berth-cli-test-" + ProcessHandle.current().pid() + "-left.sock");
        try (ServerSocketChannel left = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
            left.bind(UnixDomainSocketAddress.of(path));
        }
        path.toFile().deleteOnExit();
        return everyCommand(path, 120, "nobody listens");
    }

    /** Root is let in everywhere, so that the commands run in a process that lacks what root has for that. */
    static final class Refused {

        private Refused() {}

        /** Tries every command at the socket {@code arguments[0]}; prints exit codes and messages, each with a zero after it. */
        public static void main(String[] arguments) {
            for (List<String> command : commands()) {
                Result result = berth(at(Path.of(arguments[0]), command));
                System.out.print(result.code + "\0" + result.err + "\0");
            }
            System.out.flush();
        }
    }

    private static List<DynamicTest> refused(Path socket, String what) throws Exception {
        List<String> line = new ArrayList<>(List.of(System.getProperty("java.home") + "/bin/java", "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1", "--enable-native-access=ALL-UNNAMED", "--sun-misc-unsafe-memory-access=allow", "-cp",
                System.getProperty("java.class.path"), Refused.class.getName(), socket.toString()));
        if (System.getProperty("user.name").equals("root")) {
            line.addAll(0, List.of("setpriv", "--bounding-set", "-dac_override,-dac_read_search"));
        }
        Process user = new ProcessBuilder(line).redirectError(ProcessBuilder.Redirect.INHERIT).start();
        String said = new String(user.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(0, user.waitFor(), said);
        String[] parts = said.split("\0");
        assertEquals(2 * commands().size(), parts.length, said);
        List<DynamicTest> tests = new ArrayList<>();
        for (int i = 0; i < commands().size(); i++) {
            Result result = new Result(Integer.parseInt(parts[2 * i]), "", parts[2 * i + 1]);
            tests.add(DynamicTest.dynamicTest(what + ": " + String.join(" ", commands().get(i)), () -> {
                assertEquals(122, result.code, result.err);
                assertOneLine(result);
                assertTrue(result.err.contains("permission denied: use sudo"), result.err);
            }));
        }
        return tests;
    }

    @TestFactory
    List<DynamicTest> atASocketThatThisUserMayNotOpenEveryCommandSaysWhatToDo() throws Exception {
        Path closed = Files.createDirectory(directory.resolve("closed"));
        Path path = closed.resolve("s");
        try (ServerSocketChannel guarded = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
            guarded.bind(UnixDomainSocketAddress.of(path), 500);
            Files.setPosixFilePermissions(path, PosixFilePermissions.fromString("---------"));
            List<DynamicTest> tests = new ArrayList<>(refused(path, "socket"));
            Files.setPosixFilePermissions(path, PosixFilePermissions.fromString("rw-rw-rw-"));
            Files.setPosixFilePermissions(closed, PosixFilePermissions.fromString("---------"));
            tests.addAll(refused(path, "directory"));
            return tests;
        } finally {
            Files.setPosixFilePermissions(closed, PosixFilePermissions.fromString("rwx------"));
        }
    }

    /** A command that is missing in {@link #commands()} would not be tried against bad daemons. */
    @Test
    void theListHasEveryCommandThatTalksToADaemon() {
        List<String> tried = commands().stream().map(line -> line.getFirst().equals("image") ? "image " + line.get(1)
                : line.getFirst()).distinct().sorted().toList();
        List<String> talking = new ArrayList<>();
        for (CommandLine command : all(Main.commandLine())) {
            if (command.getCommandSpec().optionsMap().containsKey("--timeout")) {
                talking.add(command.getCommandSpec().qualifiedName().substring("berth ".length()));
            }
        }
        assertEquals(talking.stream().sorted().toList(), tried);
    }

    private static List<CommandLine> all(CommandLine command) {
        List<CommandLine> all = new ArrayList<>();
        for (CommandLine each : command.getSubcommands().values()) {
            if (!each.getCommandSpec().usageMessage().hidden()) {
                all.add(each);
                all.addAll(all(each));
            }
        }
        return all;
    }

    /** The kernel would wait for ever where the queue of connections is full. */
    @Test
    void aDaemonThatTakesNoMoreConnectionsHangs() throws IOException {
        Path path = directory.resolve("full.sock");
        List<SocketChannel> queue = new ArrayList<>();
        try (ServerSocketChannel full = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
            full.bind(UnixDomainSocketAddress.of(path), 1);
            SocketException refusal = assertThrows(SocketException.class, () -> {
                while (queue.size() < 100) {
                    queue.add(SocketChannel.open(StandardProtocolFamily.UNIX));
                    queue.getLast().configureBlocking(false);
                    queue.getLast().connect(UnixDomainSocketAddress.of(path));
                }
            });
            assertTrue(refusal.getMessage().contains("temporarily unavailable"), refusal.getMessage());
            Result result = berth("ps", "--timeout", "1", "--socket", path.toString());
            assertEquals(121, result.code, result.err);
            assertOneLine(result);
            assertTrue(result.err.contains("takes no more connections"), result.err);
        } finally {
            for (SocketChannel each : queue) {
                each.close();
            }
        }
    }

    @TestFactory
    Stream<DynamicTest> atADaemonThatSaysNothingEveryCommandSaysThatItHangs() throws IOException {
        Path path = Path.of("/tmp/berth-cli-test-" + ProcessHandle.current().pid() + "-hung.sock");
        ServerSocketChannel hung = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
        // Nobody takes them, and each command leaves some.
        hung.bind(UnixDomainSocketAddress.of(path), 500);
        path.toFile().deleteOnExit();
        return everyCommand(path, 121, "hangs", "--timeout", "1").stream().onClose(() -> close(hung));
    }

    @TestFactory
    Stream<DynamicTest> atAnotherProtocolEveryCommandSaysThatItIsAnotherVersion() throws Exception {
        Served other = new Served(Path.of("/tmp/berth-cli-test-" + ProcessHandle.current().pid() + "-other.sock"), List.of());
        return everyCommand(other.path, 123, "another version").stream().onClose(() -> close(other));
    }

    private static void close(AutoCloseable each) {
        try {
            each.close();
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }

    @Test
    void aCallThatOnlyBerthHasSaysSoAtAnotherRuntime() throws Exception {
        BindableService peer = new RuntimeServiceGrpc.RuntimeServiceImplBase() {
            @Override
            public void version(VersionRequest request, StreamObserver<VersionResponse> observer) {
                observer.onNext(VersionResponse.newBuilder().setRuntimeName("peer").build());
                observer.onCompleted();
            }
        };
        try (Served other = new Served(directory.resolve("peer.sock"), List.of(peer))) {
            Result result = berth("timeline", "x", "--socket", "unix://" + other.path);
            assertEquals(123, result.code, result.err);
            assertOneLine(result);
            assertTrue(result.err.contains("only Berth keeps one, and this is peer"), result.err);
        }
    }

    private record Served(Path path, Server server, EventLoopGroup loop) implements AutoCloseable {

        Served(Path path, List<BindableService> services) throws IOException {
            EventLoopGroup loop = new MultiThreadIoEventLoopGroup(1, EpollIoHandler.newFactory());
            NettyServerBuilder builder = NettyServerBuilder.forAddress(new DomainSocketAddress(path.toFile()))
                    .channelType(EpollServerDomainSocketChannel.class).bossEventLoopGroup(loop).workerEventLoopGroup(loop);
            services.forEach(builder::addService);
            this(path, builder.build().start(), loop);
        }

        @Override
        public void close() throws Exception {
            server.shutdownNow().awaitTermination();
            loop.shutdownGracefully();
        }
    }

    @Test
    void aMisuseIsOneLineThatNamesTheHelp() {
        for (String[] line : List.of(new String[] {"ps", "--bogus"}, new String[] {"exec", "x"}, new String[] {"nonsense"},
                new String[] {"pods", "-o", "xml"})) {
            Result result = berth(line);
            assertEquals(2, result.code, result.err);
            assertOneLine(result);
            assertTrue(result.err.contains("--help"), result.err);
        }
    }

    @TestFactory
    List<DynamicTest> everyCommandExplainsItself() {
        List<DynamicTest> tests = new ArrayList<>();
        for (CommandLine command : all(Main.commandLine())) {
            String name = command.getCommandSpec().qualifiedName();
            tests.add(DynamicTest.dynamicTest(name, () -> {
                Result result = berth((name + " --help").substring("berth ".length()).split(" "));
                assertEquals(0, result.code);
                assertTrue(result.out.contains("Usage: " + name), result.out);
                assertTrue(List.of(command.getCommandSpec().usageMessage().footer()).stream()
                        .anyMatch(line -> line.contains(name)), name + " has no example in its help");
            }));
        }
        return tests;
    }

    @Test
    void theHelpNamesEveryExitCode() {
        String help = Main.commandLine().getUsageMessage();
        for (var code : io.berth.cli.client.ExitCode.values()) {
            assertTrue(help.contains("%-4d %s".formatted(code.number(), code.meaning())), () -> "no " + code + " in " + help);
        }
    }

    @Test
    void theCompletionKnowsTheCommands() throws Exception {
        Path script = directory.resolve("completion");
        Files.writeString(script, berth("completion").out);
        // As bash asks: the words so far and the place of the one to complete.
        String ask = "source " + script + "; COMP_WORDS=(berth po); COMP_CWORD=1; _complete_berth; echo ${COMPREPLY[*]}";
        Process bash = new ProcessBuilder("bash", "-c", ask).redirectErrorStream(true).start();
        String words = new String(bash.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
        assertEquals("pods port-forward", words);
    }

    @Test
    void momentsAreTimesAgoOrTimes() {
        Instant now = Instant.parse("2026-11-24T12:00:00Z");
        assertEquals(Instant.parse("2026-11-24T11:59:30Z"), LogsCommand.moment("30s", now));
        assertEquals(Instant.parse("2026-11-24T10:30:00Z"), LogsCommand.moment("1h30m", now));
        assertEquals(Instant.parse("2026-11-21T12:00:00Z"), LogsCommand.moment("3d", now));
        assertEquals(Instant.parse("2026-11-24T10:00:00Z"), LogsCommand.moment("2026-11-24T11:00:00+01:00", now));
        for (String words : List.of("", "soon", "5", "h", "2026-11-24")) {
            assertThrows(DaemonFault.class, () -> LogsCommand.moment(words, now), words);
        }
    }

    @Test
    void aPodWithoutANameIsCalledAfterItsImage() {
        assertTrue(RunCommand.defaultName("registry.example.com:5000/a/My_App:1.2@sha256:00").matches("my-app-[0-9a-f]{6}"));
        assertTrue(RunCommand.defaultName(":::").matches("run-[0-9a-f]{6}"));
    }
}
