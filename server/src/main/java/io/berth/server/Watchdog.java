package io.berth.server;

import io.berth.cri.v1.RuntimeServiceGrpc;
import io.berth.cri.v1.StatusRequest;
import io.berth.linux.ServiceNotification;
import io.grpc.ManagedChannel;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.NettyChannelBuilder;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.epoll.EpollDomainSocketChannel;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.unix.DomainSocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Tells the service manager that this daemon lives, but only after it has answered a real call over its own socket: a daemon
 * whose threads run and which answers nobody is restarted. Source: sd_watchdog_enabled(3).
 */
final class Watchdog {

    private static final Logger LOG = LoggerFactory.getLogger(Watchdog.class);

    private Watchdog() {}

    /** How often the service manager wants to hear, or empty when it does not. */
    static Optional<Duration> limit(String watchdogUsec, String watchdogPid, long ownPid) {
        boolean forOthers = watchdogPid != null && !watchdogPid.equals(Long.toString(ownPid));
        return watchdogUsec == null || !watchdogUsec.matches("[0-9]{1,15}") || forOthers ? Optional.empty()
                : Optional.of(Duration.ofNanos(Long.parseLong(watchdogUsec) * 1000));
    }

    /** Watches until the thread is interrupted, when the service manager has asked for it. */
    static Optional<Thread> start(Path socket) {
        return limit(System.getenv("WATCHDOG_USEC"), System.getenv("WATCHDOG_PID"), ProcessHandle.current().pid())
                .map(limit -> Thread.ofPlatform().daemon().name("watchdog").start(() -> watch(socket, limit)));
    }

    private static void watch(Path socket, Duration limit) {
        // Three looks within the limit: one may fail without an end.
        Duration period = limit.dividedBy(3);
        EventLoopGroup loop = new MultiThreadIoEventLoopGroup(1, EpollIoHandler.newFactory());
        ManagedChannel channel = NettyChannelBuilder.forAddress(new DomainSocketAddress(socket.toFile()))
                .channelType(EpollDomainSocketChannel.class).eventLoopGroup(loop).usePlaintext()
                .overrideAuthority("localhost").build();
        try {
            while (true) {
                if (answers(channel, period)) {
                    ServiceNotification.send("WATCHDOG=1");
                }
                Thread.sleep(period);
            }
        } catch (InterruptedException theDaemonEnds) {
            channel.shutdownNow();
            loop.shutdownGracefully(0, 1, TimeUnit.SECONDS);
        }
    }

    private static boolean answers(ManagedChannel channel, Duration patience) {
        try {
            RuntimeServiceGrpc.newBlockingStub(channel).withDeadlineAfter(patience.toMillis(), TimeUnit.MILLISECONDS)
                    .status(StatusRequest.getDefaultInstance());
            return true;
        } catch (StatusRuntimeException e) {
            LOG.atError().addKeyValue("status", e.getStatus().getCode()).log("own call is not answered");
            return false;
        }
    }
}
