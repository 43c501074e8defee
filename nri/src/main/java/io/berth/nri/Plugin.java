package io.berth.nri;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.MessageLite;
import com.google.protobuf.Parser;
import io.berth.base.RuntimeFault;
import io.berth.nri.mux.Lane;
import io.berth.nri.mux.Mux;
import io.berth.nri.v1.ConfigureRequest;
import io.berth.nri.v1.ConfigureResponse;
import io.berth.nri.v1.Container;
import io.berth.nri.v1.ContainerUpdate;
import io.berth.nri.v1.Empty;
import io.berth.nri.v1.Event;
import io.berth.nri.v1.PodSandbox;
import io.berth.nri.v1.RegisterPluginRequest;
import io.berth.nri.v1.StateChangeEvent;
import io.berth.nri.v1.SynchronizeRequest;
import io.berth.nri.v1.SynchronizeResponse;
import io.berth.nri.v1.UpdateContainersRequest;
import io.berth.nri.v1.UpdateContainersResponse;
import io.berth.ttrpc.CallFault;
import io.berth.ttrpc.TtrpcClient;
import io.berth.ttrpc.TtrpcServer;
import java.nio.channels.ByteChannel;
import java.time.Duration;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.BiFunction;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.event.Level;

/**
 * One connected plugin. A plugin that does not answer in time, or does not keep to the protocol, is disconnected and counts as
 * not being there. Owns its connection and, where Berth started it, its process. Thread-safe.
 */
final class Plugin implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(Plugin.class);
    private static final String PLUGIN_SERVICE = "nri.pkg.api.v1alpha1.Plugin";
    private static final String RUNTIME_SERVICE = "nri.pkg.api.v1alpha1.Runtime/";
    private static final int CALLS_AT_ONCE = 8;
    private static final Duration PROCESS_END = Duration.ofSeconds(15);
    private static final String SHUTDOWN = "the runtime ends";

    private final Mux mux;
    private final TtrpcClient client;
    private final TtrpcServer server;
    private final Optional<PluginProcess> process;
    private final String config;
    private final CompletableFuture<PluginName> registered = new CompletableFuture<>();
    private final AtomicBoolean closed = new AtomicBoolean();
    private final Consumer<Plugin> onEnd;
    /** Events for which it has no call of their own yet. */
    private final Set<Event> byStateChange = java.util.Collections.synchronizedSet(EnumSet.noneOf(Event.class));
    private final Optional<PluginName> givenName;
    private volatile int events;
    private volatile Future<?> processEnd = CompletableFuture.completedFuture(null);

    /**
     * @param process where Berth started it, under the name that it then has
     * @param update answers its own requests for updates
     * @param onEnd told once when it is gone
     */
    Plugin(ByteChannel trunk, Optional<PluginProcess> process, String config,
            BiFunction<Plugin, UpdateContainersRequest, UpdateContainersResponse> update, Consumer<Plugin> onEnd) {
        this.process = process;
        this.givenName = process.map(PluginProcess::name);
        this.config = config;
        this.onEnd = onEnd;
        this.mux = new Mux("NRI plugin", trunk);
        Lane plugin = mux.open(Mux.PLUGIN);
        Lane runtime = mux.open(Mux.RUNTIME);
        Map<String, TtrpcServer.Method> methods = Map.of(RUNTIME_SERVICE + "RegisterPlugin", this::register,
                RUNTIME_SERVICE + "UpdateContainers", message -> update.apply(this,
                        parsed(UpdateContainersRequest.parser(), message)).toByteString());
        this.client = new TtrpcClient("NRI plugin", plugin.input(), plugin.output(), end -> end(end.getMessage()));
        this.server = new TtrpcServer("NRI plugin", runtime.input(), runtime.output(), methods, CALLS_AT_ONCE,
                end -> end(end.getMessage()));
        mux.start();
    }

    private ByteString register(ByteString message) {
        RegisterPluginRequest request = parsed(RegisterPluginRequest.parser(), message);
        PluginName name = givenName.orElseGet(() -> PluginName.of(request.getPluginIdx(), request.getPluginName()));
        if (!registered.complete(name)) {
            throw RuntimeFault.precondition("register NRI plugin " + name + ": it is registered already");
        }
        return Empty.getDefaultInstance().toByteString();
    }

    private static <T> T parsed(Parser<T> parser, ByteString message) {
        try {
            return parser.parseFrom(message);
        } catch (InvalidProtocolBufferException e) {
            throw RuntimeFault.invalid("read message of NRI plugin: " + e.getMessage());
        }
    }

    /** INDEX-NAME; before it is registered, what it is called then. */
    String name() {
        return givenName.or(() -> registered.isDone() && !registered.isCompletedExceptionally()
                ? Optional.of(registered.join()) : Optional.empty()).map(PluginName::toString).orElse("not yet registered");
    }

    PluginName fullName() {
        return givenName.orElseGet(registered::join);
    }

    boolean isClosed() {
        return closed.get();
    }

    boolean wants(Event event) {
        return !isClosed() && EventCalls.isIn(events, event);
    }

    /** Waits for its registration, then configures it. A fault, and its end, when either fails. */
    void begin(NriSettings settings) {
        try {
            registered.get(settings.registrationTimeout().toNanos(), TimeUnit.NANOSECONDS);
        } catch (TimeoutException e) {
            throw failed("it has not registered within " + settings.registrationTimeout().toMillis() + " ms");
        } catch (ExecutionException e) {
            throw failed("it has ended before it registered: " + RuntimeFault.reason(e.getCause()));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw failed("interrupted");
        }
        ConfigureRequest request = ConfigureRequest.newBuilder().setConfig(config).setRuntimeName(settings.runtimeName())
                .setRuntimeVersion(settings.runtimeVersion()).setNRIVersion("v0.12.0")
                .setRegistrationTimeout(settings.registrationTimeout().toMillis())
                .setRequestTimeout(settings.requestTimeout().toMillis()).build();
        int wanted = direct("Configure", request, ConfigureResponse.parser(), settings.requestTimeout()).getEvents();
        if ((wanted & ~EventCalls.ALL) != 0) {
            throw failed("it subscribes to unknown events 0x" + Integer.toHexString(wanted & ~EventCalls.ALL));
        }
        events = wanted == 0 ? EventCalls.ALL : wanted;
    }

    private RuntimeFault failed(String reason) {
        end(reason);
        return RuntimeFault.precondition("connect NRI plugin " + name() + ": " + reason);
    }

    /** A call whose every failure is the plugin's end. */
    private <T> T direct(String method, MessageLite request, Parser<T> parser, Duration limit) {
        try {
            return parsed(parser, client.call(PLUGIN_SERVICE, method, request.toByteString(), limit));
        } catch (RuntimeFault fault) {
            throw failed(method + " failed: " + fault.getMessage());
        }
    }

    /** Tells it of all that runs, in as many messages as are needed; the updates that it wants in answer. */
    List<ContainerUpdate> synchronize(List<PodSandbox> pods, List<Container> containers, Duration limit) {
        List<SynchronizeRequest> parts = SplitState.parts(pods, containers);
        for (SynchronizeRequest part : parts.subList(0, parts.size() - 1)) {
            SynchronizeResponse answer = direct("Synchronize", part, SynchronizeResponse.parser(), limit);
            if (!answer.getMore() || answer.getUpdateCount() > 0) {
                throw failed("it does not understand a Synchronize in parts");
            }
        }
        return direct("Synchronize", parts.getLast(), SynchronizeResponse.parser(), limit).getUpdateList();
    }

    /**
     * Calls it for an event that it wants.
     *
     * @return its answer; empty when it does not want the event or is gone by now
     * @throws RuntimeFault what it answers instead
     */
    <T> Optional<T> call(Event event, MessageLite request, Parser<T> parser, Duration limit) {
        if (!wants(event)) {
            return Optional.empty();
        }
        String method = EventCalls.method(event);
        try {
            ByteString answer = client.call(PLUGIN_SERVICE, method, request.toByteString(), limit);
            return Optional.of(parser.parseFrom(answer));
        } catch (InvalidProtocolBufferException e) {
            end("its answer to " + method + " is malformed");
            return Optional.empty();
        } catch (CallFault fault) {
            return switch (fault.origin()) {
                case ANSWER -> throw new AnsweredFault(fault, "NRI plugin " + name() + " answers " + method + ": "
                        + fault.getMessage());
                case TIMEOUT, CONNECTION -> {
                    end(method + " failed: " + fault.getMessage());
                    yield Optional.empty();
                }
            };
        }
    }

    /** As {@link #call}, for an event without an answer; {@code old} is how older plugins are told of it. */
    void tell(Event event, MessageLite request, Supplier<StateChangeEvent> old, Duration limit) {
        if (!byStateChange.contains(event)) {
            try {
                call(event, request, Empty.parser(), limit);
                return;
            } catch (AnsweredFault fault) {
                if (!fault.isUnimplemented()) {
                    throw fault;
                }
                byStateChange.add(event);
            }
        }
        if (wants(event)) {
            try {
                client.call(PLUGIN_SERVICE, "StateChange", old.get().toByteString(), limit);
            } catch (CallFault fault) {
                if (fault.origin() == CallFault.Origin.ANSWER) {
                    throw new AnsweredFault(fault, "NRI plugin " + name() + " answers StateChange: " + fault.getMessage());
                }
                end("StateChange failed: " + fault.getMessage());
            }
        }
    }

    /** A plugin's own word against something. */
    private static final class AnsweredFault extends RuntimeFault {

        private final transient CallFault answer;

        AnsweredFault(CallFault answer, String message) {
            // A plugin that only says "error" has refused; nothing of the runtime is broken.
            super(answer.kind() == Kind.INTERNAL ? Kind.FAILED_PRECONDITION : answer.kind(), message, answer);
            this.answer = answer;
        }

        boolean isUnimplemented() {
            return answer.isUnimplemented();
        }
    }

    /** Tells it that the runtime ends, and waits until its process, where Berth started one, has ended. */
    void shutDown(Duration limit) {
        if (!isClosed()) {
            try {
                client.call(PLUGIN_SERVICE, "Shutdown", Empty.getDefaultInstance().toByteString(), limit);
            } catch (RuntimeFault fault) {
                LOG.atDebug().addKeyValue("plugin", name()).setCause(fault).log("NRI plugin did not answer Shutdown");
            }
        }
        end(SHUTDOWN);
        try {
            processEnd.get(PROCESS_END.toSeconds(), TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (ExecutionException | TimeoutException e) {
            LOG.atError().addKeyValue("plugin", name()).setCause(e).log("NRI plugin does not end");
        }
    }

    private void end(String reason) {
        if (closed.compareAndSet(false, true)) {
            // What the mux says is nearer to the cause than what those above it saw.
            String cause = mux.end().isEmpty() ? reason : mux.end();
            boolean orderly = cause.equals(Mux.CLOSED_BY_PEER) || reason.equals(SHUTDOWN);
            LOG.atLevel(orderly ? Level.INFO : Level.WARN).addKeyValue("plugin", name()).addKeyValue("reason", cause)
                    .log("NRI plugin disconnected");
            registered.completeExceptionally(RuntimeFault.precondition(cause));
            mux.close();
            client.close();
            server.close();
            onEnd.accept(this);
            processEnd = process.<Future<?>>map(PluginProcess::endSoon).orElse(processEnd);
        }
    }

    /** Disconnects it; idempotent. */
    @Override
    public void close() {
        end("it was disconnected");
    }
}
