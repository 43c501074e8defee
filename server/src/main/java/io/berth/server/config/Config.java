package io.berth.server.config;

import io.berth.runtime.BaseSpec;
import io.berth.runtime.PassedAnnotations;
import io.berth.runtime.RuntimeHandler.Privileged;
import io.berth.server.log.LogFormat;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.slf4j.event.Level;

/**
 * The effective configuration. Names of keys follow containerd's where it has the same thing.
 *
 * @param root what survives a reboot
 * @param state what does not
 * @param metricsAddress HOST:PORT where metrics are served; empty for nowhere
 * @param tracing where traces go; empty for nowhere
 * @param console where the console is served, on loopback; empty for nowhere
 * @param proxySnapshotters the sockets of snapshotters that are programs of their own, by name
 */
public record Config(Path root, Path state, Grpc grpc, LogLines log, Runtime runtime, Images images,
        Streaming streaming, Nri nri, Extensions extensions, Optional<String> metricsAddress,
        Optional<Tracing> tracing, Optional<InetSocketAddress> console, Map<String, Path> proxySnapshotters) {

    /**
     * The socket.
     *
     * @param address its path
     * @param mode its permission bits
     */
    public record Grpc(Path address, int uid, int gid, int mode, int maxReceiveBytes) {}

    /** The daemon's log: what is worth a line, and how a line looks. */
    public record LogLines(Level level, LogFormat format) {}

    /** Plugins of the Node Resource Interface. */
    public record Nri(boolean disable, Path socketPath, Path pluginPath, Path pluginConfigPath, Duration registrationTimeout,
            Duration requestTimeout, boolean disableConnections, NriValidator validator) {}

    /** What the validator that is built into NRI refuses. */
    public record NriValidator(boolean enable, boolean rejectOciHooks, boolean rejectRuntimeDefaultSeccomp,
            boolean rejectUnconfinedSeccomp, boolean rejectCustomSeccomp, boolean rejectNamespaces, boolean rejectSysctls,
            List<String> requiredPlugins, String tolerateMissingAnnotation) {}

    /**
     * Traces for OpenTelemetry.
     *
     * @param otlpEndpoint the collector's base address
     * @param samplingRatio of calls whose client does not decide, 0 to 1
     */
    public record Tracing(URI otlpEndpoint, double samplingRatio, String serviceName) {}

    /**
     * Extensions in Java.
     *
     * @param directory where their jars are; empty for none
     * @param callTimeout how long each call of one may take
     * @param refuseOnFailure refuse an image of which an extension that judges images does not tell
     */
    public record Extensions(Optional<Path> directory, Duration callTimeout, boolean refuseOnFailure) {}

    /** Which kind of network pods get. */
    public enum NetworkKind {
        CNI,
        BUILTIN,
        EXTENSION
    }

    /** How pods are run. */
    public record Runtime(String defaultRuntimeName, Map<String, Handler> runtimes, NetworkKind network, Cni cni,
            Builtin builtin, String conmon, String defaultCgroupParent, boolean restrictOomScoreAdj,
            boolean unprivilegedPorts, boolean unprivilegedIcmp, String unsetSeccompProfile, Path seccompProfileRoot,
            List<Path> cdiSpecDirs, long shmBytes, int sandboxPool, boolean checkpoints, boolean checkpointImages, boolean selinux,
            Optional<Path> blockioConfigFile, boolean ignoreBlockioNotEnabled,
            boolean ignoreRdtNotEnabled, List<Path> hooksDirs) {}

    /**
     * A runtime handler.
     *
     * @param type {@code oci}, or the name of a shim's runtime such as {@code io.containerd.runc.v2}
     * @param monitor the container monitor: a path or a name
     * @param snapshotter where its containers' root filesystems come from; empty for the node's usual one
     */
    public record Handler(String type, String path, boolean systemdCgroup, Privileged privileged, List<String> arguments,
            String monitor, PassedAnnotations annotations, Optional<BaseSpec> baseSpec, String snapshotter, ShimOptions shim) {

        /** Whether its containers run behind a shim. */
        public boolean isShim() {
            return !type.equals("oci");
        }
    }

    /** What a handler tells its shim. */
    public record ShimOptions(String binaryName, boolean noPivotRoot, boolean noNewKeyring, String shimCgroup, String typeUrl,
            String configPath) {
        public static final ShimOptions NONE = new ShimOptions("", false, false, "", "", "");
    }

    /** Where CNI's configuration and plugins are. */
    public record Cni(List<Path> binDirs, Path confDir, int maxConfNum) {}

    /** The built-in bridge. */
    public record Builtin(String bridge, String subnet, boolean masquerade) {}

    /**
     * Images and registries.
     *
     * @param snapshotter the usual one of the node
     */
    public record Images(Path registryConfigPath, Path registriesFile, Path credentialsFile, Path policyFile,
            int maxConcurrentDownloads, int maxConcurrentRanges, Duration pullProgressTimeout,
            boolean discardUnpackedLayers, List<String> pinned, String snapshotter) {}

    /** The server for exec, attach and port-forward; without a key pair it speaks plain HTTP. */
    public record Streaming(String address, int port, Duration idleTimeout, Optional<KeyPair> keyPair) {}

    /** PEM files: a certificate chain and its PKCS#8 key. */
    public record KeyPair(Path certificate, Path key) {}
}
