package io.berth.shim;

import com.google.protobuf.Any;
import com.google.protobuf.InvalidProtocolBufferException;
import io.berth.base.RuntimeFault;
import io.berth.linux.Command;
import io.berth.runtime.RuntimeWords;
import io.berth.shim.v2.BootstrapExtension;
import io.berth.shim.v2.BootstrapParams;
import io.berth.shim.v2.DeleteResponse;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.locks.LockSupport;

/** A shim's program by its commands: {@code start}, which leaves the shim behind, and {@code delete}, for one that is gone. */
final class ShimProgram {

    private static final int OUTPUT_BYTES = 64 * 1024;
    /** Within this time a shim has ended that needs somebody to tell its events to, and has nobody. */
    private static final Duration TRIAL = Duration.ofMillis(300);

    private enum Listener { GIVEN, WITHHELD_ON_TRIAL, WITHHELD }

    private final ShimHandler handler;
    private final ShimPaths paths;
    private final Duration limit;
    /** Since containerd 2.3 a shim wants a message at its input; which kind this is, its first start shows. */
    private volatile boolean wantsMessage;
    private volatile Listener listener;

    ShimProgram(ShimHandler handler, ShimPaths paths, Duration limit) {
        this.handler = handler;
        this.paths = paths;
        this.limit = limit;
        this.listener = handler.endsWithItsListener() ? Listener.WITHHELD_ON_TRIAL : Listener.GIVEN;
    }

    /** The first shim that is started without a listener has to show that it lives so; {@code alive} fails if not. */
    void awaitTrial(Runnable alive) {
        if (listener == Listener.WITHHELD_ON_TRIAL) {
            LockSupport.parkNanos(TRIAL.toNanos());
            alive.run();
            listener = Listener.WITHHELD;
        }
    }

    /**
     * Takes a failed start as that of a shim that needs a listener, if it may be one: the next gets it. Not the same again,
     * whose network may have been taken up already.
     */
    void failTrial(RuntimeFault failure) {
        if (listener == Listener.WITHHELD_ON_TRIAL && failure.kind() == RuntimeFault.Kind.UNAVAILABLE) {
            listener = Listener.GIVEN;
            throw new RuntimeFault(RuntimeFault.Kind.UNAVAILABLE, "start shim " + handler.handler().path() + ": "
                    + failure.getMessage() + ": perhaps it cannot do without somebody to tell its events to, which the next one"
                    + " has: run the pod again", failure);
        }
    }

    private String events() {
        return listener == Listener.GIVEN ? paths.socket().toString() : "";
    }

    /** Starts the shim of the bundle {@code id}. */
    ShimAddress start(String id) {
        Optional<Any> options = handler.taskOptions(paths.runcRoot());
        Command.Output output = run(id, "start", input(id, options));
        if (output.exitCode() != 0 && !wantsMessage && output.stderrText().toLowerCase(Locale.ROOT).contains("bootstrap")) {
            wantsMessage = true;
            output = run(id, "start", input(id, options));
        }
        if (output.exitCode() != 0) {
            throw new RuntimeFault(RuntimeFault.Kind.INTERNAL, "start shim " + handler.handler().path() + ": it ended with "
                    + output.exitCode() + ": " + words(output));
        }
        return ShimAddress.parse(output.stdout());
    }

    private byte[] input(String id, Optional<Any> options) {
        if (!wantsMessage) {
            return options.map(Any::toByteArray).orElse(new byte[0]);
        }
        BootstrapParams.Builder message = BootstrapParams.newBuilder().setInstanceId(id).setNamespace(ShimPaths.NAMESPACE)
                .setContainerdTtrpcAddress(events()).setContainerdGrpcAddress(paths.socket().toString())
                .setContainerdBinary("true");
        options.ifPresent(any -> message.addExtensions(BootstrapExtension.newBuilder().setValue(any)));
        return message.build().toByteArray();
    }

    /**
     * Ends and removes what a shim that is gone has left of the bundle {@code id}.
     *
     * @return the exit code that it tells
     */
    int delete(String id) {
        Command.Output output = run(id, "delete", new byte[0]);
        if (output.exitCode() != 0) {
            throw new RuntimeFault(RuntimeFault.Kind.INTERNAL, "delete " + id + " by " + handler.handler().path()
                    + ": it ended with " + output.exitCode() + ": " + words(output));
        }
        try {
            return DeleteResponse.parseFrom(output.stdout()).getExitStatus();
        } catch (InvalidProtocolBufferException e) {
            throw new RuntimeFault(RuntimeFault.Kind.INTERNAL, "delete " + id + " by " + handler.handler().path()
                    + ": what it printed is no message", e);
        }
    }

    private static String words(Command.Output output) {
        return RuntimeWords.plain(output.stderrText().isBlank() ? output.stdoutText() : output.stderrText());
    }

    // Flags, variables and directory are those that containerd gives: shims find their bundle by the directory.
    private Command.Output run(String id, String action, byte[] input) {
        Path bundle = paths.bundle(id);
        List<String> line = new ArrayList<>(List.of(handler.handler().path().toString(), "-namespace", ShimPaths.NAMESPACE,
                "-address", paths.socket().toString(), "-publish-binary", "true", "-id", id));
        if (action.equals("delete")) {
            line.addAll(List.of("-bundle", bundle.toString()));
        }
        line.addAll(handler.handler().arguments());
        line.add(action);
        Map<String, String> environment = new HashMap<>(Map.of("PATH", Command.searchPath(), "GOMAXPROCS", "2",
                "MAX_SHIM_VERSION", "2", "TTRPC_ADDRESS", events(),
                "GRPC_ADDRESS", paths.socket().toString(), "NAMESPACE", ShimPaths.NAMESPACE, "LANG", "C.UTF-8"));
        return new Command(line, environment, bundle, limit, OUTPUT_BYTES).run(input);
    }

    /** The words by which a shim's own process is known: its pod's id and this instance's address. */
    static boolean isShimOf(List<String> arguments, String id, Path socket) {
        return follows(arguments, "-id", id) && follows(arguments, "-address", socket.toString());
    }

    static Optional<String> id(List<String> arguments) {
        int at = arguments.indexOf("-id");
        return at < 0 || at + 1 >= arguments.size() ? Optional.empty() : Optional.of(arguments.get(at + 1));
    }

    private static boolean follows(List<String> arguments, String option, String value) {
        int at = arguments.indexOf(option);
        return at >= 0 && at + 1 < arguments.size() && arguments.get(at + 1).equals(value);
    }
}
