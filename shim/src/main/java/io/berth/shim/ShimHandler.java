package io.berth.shim;

import com.google.protobuf.Any;
import com.google.protobuf.ByteString;
import io.berth.runtime.RuntimeHandler;
import io.berth.shim.v2.RuncOptions;
import io.berth.shim.v2.RuntimeOptions;
import java.nio.file.Path;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * A shim that pods can ask for by the name of a RuntimeClass handler.
 *
 * @param handler its name; the program is the shim's
 * @param type the runtime's name, such as {@code io.containerd.runc.v2}; tells which options the shim understands
 */
public record ShimHandler(RuntimeHandler handler, String type, Options options) {

    private static final Pattern TYPE = Pattern.compile("[A-Za-z0-9_-]+(\\.[A-Za-z0-9_-]+)*\\.[A-Za-z0-9_-]+\\.v[0-9]+");
    private static final String NAMES_RUNC = "io.containerd.runc.";

    /**
     * What the operator sets, by the names that containerd's configuration has.
     *
     * @param binaryName the OCI runtime that a shim for runc uses; empty for its own choice
     * @param shimCgroup where a shim for runc puts itself; empty for nowhere
     * @param typeUrl what a shim that is not runc's finds in its configuration file
     * @param configPath its configuration file; empty for its own choice
     */
    public record Options(String binaryName, boolean noPivotRoot, boolean noNewKeyring, String shimCgroup, String typeUrl,
            String configPath) {}

    /** Whether it is one that runs runc or what has its command line, on this node and in its cgroups. */
    public boolean isRunc() {
        return type.startsWith(NAMES_RUNC);
    }

    /**
     * Whether it is gVisor's. That one ends, and its pod with it, when an event finds nobody listening, as while Berth is
     * down; unless it has been told at its start that nobody does, which its versions before August 2026 do not survive.
     */
    boolean endsWithItsListener() {
        return type.startsWith("io.containerd.runsc.");
    }

    /** Whether a text is the name of a shim's runtime, such as {@code io.containerd.kata.v2}. */
    public static boolean isType(String text) {
        return TYPE.matcher(text).matches();
    }

    /** The name of the program of a runtime type: {@code io.containerd.kata.v2} is {@code containerd-shim-kata-v2}. */
    public static String program(String type) {
        String[] parts = type.split("\\.");
        return parts.length < 2 ? type : "containerd-shim-" + parts[parts.length - 2] + "-" + parts[parts.length - 1];
    }

    /** What each container is created with; empty where the shim gets none. */
    Optional<Any> taskOptions(Path runcRoot) {
        if (isRunc()) {
            RuncOptions runc = RuncOptions.newBuilder().setBinaryName(options.binaryName).setRoot(runcRoot.toString())
                    .setSystemdCgroup(handler.systemdCgroup()).setNoPivotRoot(options.noPivotRoot)
                    .setNoNewKeyring(options.noNewKeyring).setShimCgroup(options.shimCgroup).build();
            return Optional.of(any("containerd.runc.v1.Options", runc.toByteString()));
        }
        if (options.typeUrl.isEmpty() && options.configPath.isEmpty()) {
            return Optional.empty();
        }
        return Optional.of(any("runtimeoptions.v1.Options", RuntimeOptions.newBuilder().setTypeUrl(options.typeUrl)
                .setConfigPath(options.configPath).build().toByteString()));
    }

    static Any any(String type, ByteString value) {
        return Any.newBuilder().setTypeUrl(type).setValue(value).build();
    }
}
