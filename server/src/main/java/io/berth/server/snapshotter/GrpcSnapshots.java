package io.berth.server.snapshotter;

import io.berth.base.RuntimeFault;
import io.berth.base.RuntimeFault.Kind;
import io.berth.snapshot.SnapshotCalls;
import io.berth.snapshot.SnapshotMount;
import io.berth.snapshot.Usage;
import io.berth.snapshotter.v1.CleanupRequest;
import io.berth.snapshotter.v1.CommitSnapshotRequest;
import io.berth.snapshotter.v1.ListSnapshotsRequest;
import io.berth.snapshotter.v1.Mount;
import io.berth.snapshotter.v1.MountsRequest;
import io.berth.snapshotter.v1.PrepareSnapshotRequest;
import io.berth.snapshotter.v1.RemoveSnapshotRequest;
import io.berth.snapshotter.v1.SnapshotsGrpc;
import io.berth.snapshotter.v1.SnapshotsGrpc.SnapshotsBlockingStub;
import io.berth.snapshotter.v1.StatSnapshotRequest;
import io.berth.snapshotter.v1.UsageRequest;
import io.berth.snapshotter.v1.UsageResponse;
import io.berth.snapshotter.v1.ViewSnapshotRequest;
import io.grpc.ConnectivityState;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.stub.MetadataUtils;
import io.netty.buffer.UnpooledByteBufAllocator;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.epoll.EpollDomainSocketChannel;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.unix.DomainSocketAddress;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;

/**
 * A snapshotter's calls over its unix socket. Connects when it is first asked, and again by itself when the program was
 * away. Thread-safe; closed by whoever made it.
 */
public final class GrpcSnapshots implements SnapshotCalls, AutoCloseable {

    /** What the program has to do may take it to a registry, or to a slow disk. */
    private static final Duration WORK_LIMIT = Duration.ofMinutes(2);
    private static final Duration ANSWER_LIMIT = Duration.ofSeconds(10);
    private static final int LARGEST_ANSWER_BYTES = 64 << 20;
    /** Keeps a containerd that serves as snapshotter from collecting what only Berth uses; the value is a time, any will do. */
    private static final Map<String, String> KEPT = Map.of("containerd.io/gc.root", "2026-01-01T00:00:00Z");
    private static final Metadata.Key<String> NAMESPACE =
            Metadata.Key.of("containerd-namespace", Metadata.ASCII_STRING_MARSHALLER);

    private final String name;
    private final Path socket;
    private final EventLoopGroup loop;
    private final ManagedChannel channel;
    private final SnapshotsBlockingStub stub;

    /**
     * @param name what the program calls the snapshotter
     * @param socket where it listens; need not be there yet
     */
    public GrpcSnapshots(String name, Path socket) {
        this.name = name;
        this.socket = socket;
        this.loop = new MultiThreadIoEventLoopGroup(1, EpollIoHandler.newFactory());
        this.channel = NettyChannelBuilder.forAddress(new DomainSocketAddress(socket.toFile()))
                .channelType(EpollDomainSocketChannel.class).eventLoopGroup(loop).usePlaintext().overrideAuthority("localhost")
                .withOption(ChannelOption.ALLOCATOR, UnpooledByteBufAllocator.DEFAULT)
                .executor(Executors.newVirtualThreadPerTaskExecutor()).maxInboundMessageSize(LARGEST_ANSWER_BYTES).build();
        Metadata namespace = new Metadata();
        // The one that Kubernetes' containers have with containerd; programs that serve several tell their callers apart by it.
        namespace.put(NAMESPACE, "k8s.io");
        this.stub = SnapshotsGrpc.newBlockingStub(channel)
                .withInterceptors(MetadataUtils.newAttachHeadersInterceptor(namespace));
    }

    @Override
    public List<SnapshotMount> prepare(String key, String parent, Map<String, String> labels) {
        return mounts(call("prepare " + key, WORK_LIMIT, calls -> calls.prepare(PrepareSnapshotRequest.newBuilder()
                .setSnapshotter(name).setKey(key).setParent(parent).putAllLabels(labels).putAllLabels(KEPT).build())).getMountsList());
    }

    @Override
    public List<SnapshotMount> view(String key, String parent) {
        return mounts(call("view " + key, WORK_LIMIT, calls -> calls.view(ViewSnapshotRequest.newBuilder()
                .setSnapshotter(name).setKey(key).setParent(parent).putAllLabels(KEPT).build())).getMountsList());
    }

    @Override
    public List<SnapshotMount> mounts(String key) {
        return mounts(call("find the mounts of " + key, WORK_LIMIT, calls -> calls.mounts(MountsRequest.newBuilder()
                .setSnapshotter(name).setKey(key).build())).getMountsList());
    }

    private static List<SnapshotMount> mounts(List<Mount> mounts) {
        return mounts.stream().map(mount -> new SnapshotMount(mount.getType(), mount.getSource(), mount.getTarget(),
                mount.getOptionsList())).toList();
    }

    @Override
    public void commit(String committed, String key) {
        call("commit " + key, WORK_LIMIT, calls -> calls.commit(CommitSnapshotRequest.newBuilder()
                .setSnapshotter(name).setName(committed).setKey(key).putAllLabels(KEPT).build()));
    }

    @Override
    public void remove(String key) {
        call("remove " + key, WORK_LIMIT, calls -> calls.remove(RemoveSnapshotRequest.newBuilder()
                .setSnapshotter(name).setKey(key).build()));
    }

    @Override
    public boolean isCommitted(String committed) {
        try {
            return call("find " + committed, ANSWER_LIMIT, calls -> calls.stat(StatSnapshotRequest.newBuilder()
                    .setSnapshotter(name).setKey(committed).build())).getInfo().getKind()
                    == io.berth.snapshotter.v1.Kind.COMMITTED;
        } catch (RuntimeFault fault) {
            if (fault.kind() == Kind.NOT_FOUND) {
                return false;
            }
            throw fault;
        }
    }

    @Override
    public List<Known> list() {
        return call("list the snapshots", ANSWER_LIMIT, calls -> {
            List<Known> all = new ArrayList<>();
            calls.list(ListSnapshotsRequest.newBuilder().setSnapshotter(name).build())
                    .forEachRemaining(answer -> answer.getInfoList().forEach(info -> all.add(new Known(info.getName(),
                            info.getKind() == io.berth.snapshotter.v1.Kind.COMMITTED))));
            return all;
        });
    }

    @Override
    public Usage usage(String key) {
        UsageResponse usage = call("count " + key, ANSWER_LIMIT, calls -> calls.usage(UsageRequest.newBuilder()
                .setSnapshotter(name).setKey(key).build()));
        return new Usage(usage.getSize(), usage.getInodes());
    }

    @Override
    public void cleanUp() {
        try {
            call("clean up", WORK_LIMIT, calls -> calls.cleanup(CleanupRequest.newBuilder().setSnapshotter(name).build()));
        } catch (RuntimeFault fault) {
            if (fault.kind() != Kind.UNSUPPORTED) {
                throw fault;
            }
        }
    }

    private <T> T call(String what, Duration limit, Function<SnapshotsBlockingStub, T> call) {
        SnapshotsBlockingStub limited = stub.withDeadlineAfter(limit.toMillis(), TimeUnit.MILLISECONDS);
        try {
            return call.apply(channel.getState(false) == ConnectivityState.READY ? limited : connecting(limited, what));
        } catch (StatusRuntimeException e) {
            throw fault(what, limit, e);
        }
    }

    // A channel that once found nobody tries again only after a while, and fails all calls until then. The socket itself tells
    // at once whether somebody listens.
    private SnapshotsBlockingStub connecting(SnapshotsBlockingStub limited, String what) {
        try (SocketChannel probe = SocketChannel.open(StandardProtocolFamily.UNIX)) {
            probe.connect(UnixDomainSocketAddress.of(socket));
        } catch (IOException e) {
            throw absent(what, e);
        }
        channel.resetConnectBackoff();
        return limited.withWaitForReady();
    }

    private RuntimeFault absent(String what, Exception cause) {
        return new RuntimeFault(Kind.UNAVAILABLE, "snapshotter " + name + ": " + what + ": nobody answers at "
                + socket + ": start it, or correct its address in [proxy_plugins." + name + "]", cause);
    }

    private RuntimeFault fault(String what, Duration limit, StatusRuntimeException e) {
        Status status = e.getStatus();
        String said = "snapshotter " + name + ": " + what + ": "
                + (status.getDescription() == null ? status.getCode() : status.getDescription());
        return switch (status.getCode()) {
            case NOT_FOUND -> new RuntimeFault(Kind.NOT_FOUND, said, e);
            case ALREADY_EXISTS -> new RuntimeFault(Kind.ALREADY_EXISTS, said, e);
            case FAILED_PRECONDITION -> new RuntimeFault(Kind.FAILED_PRECONDITION, said, e);
            case UNIMPLEMENTED -> new RuntimeFault(Kind.UNSUPPORTED, said, e);
            case CANCELLED -> new RuntimeFault(Kind.CANCELLED, said, e);
            case UNAVAILABLE -> absent(what, e);
            case DEADLINE_EXCEEDED -> new RuntimeFault(Kind.UNAVAILABLE, "snapshotter " + name + ": " + what
                    + ": no answer within " + limit.toSeconds() + " s: see its log", e);
            default -> new RuntimeFault(Kind.INTERNAL, said, e);
        };
    }

    @Override
    public void close() {
        channel.shutdownNow();
        loop.shutdownGracefully(0, 1, TimeUnit.SECONDS);
    }
}
