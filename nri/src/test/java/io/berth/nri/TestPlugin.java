package io.berth.nri;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.MessageLite;
import io.berth.base.RuntimeFault;
import io.berth.nri.mux.Lane;
import io.berth.nri.mux.Mux;
import io.berth.nri.v1.ConfigureRequest;
import io.berth.nri.v1.ConfigureResponse;
import io.berth.nri.v1.Container;
import io.berth.nri.v1.CreateContainerRequest;
import io.berth.nri.v1.Empty;
import io.berth.nri.v1.PodSandbox;
import io.berth.nri.v1.RegisterPluginRequest;
import io.berth.nri.v1.SynchronizeRequest;
import io.berth.nri.v1.SynchronizeResponse;
import io.berth.nri.v1.UpdateContainersRequest;
import io.berth.nri.v1.UpdateContainersResponse;
import io.berth.ttrpc.TtrpcClient;
import io.berth.ttrpc.TtrpcServer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;

/** A plugin as a test wants it: notes what it is told and answers as it was scripted. Closing disconnects it. */
public final class TestPlugin implements AutoCloseable {

    private static final String SERVICE = "nri.pkg.api.v1alpha1.Plugin/";
    private static final Duration LIMIT = Duration.ofSeconds(20);

    /**
     * One call that it got. The requests of all events have the pod as field 1 and the container as field 2.
     *
     * @param method such as {@code RunPodSandbox}
     */
    public record Told(String method, PodSandbox pod, Container container) {}

    private final String index;
    private final String name;
    private final List<Told> told = new CopyOnWriteArrayList<>();
    private final Map<String, Function<ByteString, MessageLite>> answers = new ConcurrentHashMap<>();
    private final Set<String> unknown = new HashSet<>();
    private final CountDownLatch synchronizedOnce = new CountDownLatch(1);
    private final CompletableFuture<String> ended = new CompletableFuture<>();
    private final List<PodSandbox> pods = new CopyOnWriteArrayList<>();
    private final List<Container> containers = new CopyOnWriteArrayList<>();
    private volatile ConfigureRequest configuration = ConfigureRequest.getDefaultInstance();
    private volatile int syncMessages;
    private int events;
    private SocketChannel channel;
    private TtrpcClient runtime;

    public TestPlugin(String index, String name) {
        this.index = index;
        this.name = name;
    }

    /** Answers a method; the bytes are those of its request. */
    public TestPlugin answer(String method, Function<ByteString, MessageLite> answer) {
        answers.put(method, answer);
        return this;
    }

    /** Does not know a method, as older plugins do not. */
    public TestPlugin without(String method) {
        unknown.add(method);
        return this;
    }

    /** Subscribes to these events only, as bits. */
    public TestPlugin events(int mask) {
        events = mask;
        return this;
    }

    /** Connects and registers. */
    public TestPlugin connect(Path socket) {
        try {
            SocketChannel connected = SocketChannel.open(StandardProtocolFamily.UNIX);
            connected.connect(UnixDomainSocketAddress.of(socket));
            return take(connected);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Waits for a connection on {@code socket} and is the plugin at its other end. */
    public TestPlugin accept(ServerSocketChannel listener) {
        try {
            return take(listener.accept());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private TestPlugin take(SocketChannel connected) {
        channel = connected;
        Mux mux = new Mux("runtime", channel);
        Lane plugin = mux.open(Mux.PLUGIN);
        Lane runtimes = mux.open(Mux.RUNTIME);
        Map<String, TtrpcServer.Method> methods = new HashMap<>();
        for (String method : methods()) {
            if (!unknown.contains(method)) {
                methods.put(SERVICE + method, message -> call(method, message).toByteString());
            }
        }
        new TtrpcServer("runtime", plugin.input(), plugin.output(), methods, 16, end -> ended.complete(end.getMessage()));
        runtime = new TtrpcClient("runtime", runtimes.input(), runtimes.output(), end -> ended.complete(end.getMessage()));
        mux.start();
        runtime.call("nri.pkg.api.v1alpha1.Runtime", "RegisterPlugin", RegisterPluginRequest.newBuilder().setPluginIdx(index)
                .setPluginName(name).setNRIVersion("v0.12.1").build().toByteString(), LIMIT);
        return this;
    }

    private static List<String> methods() {
        List<String> all = new ArrayList<>(List.of("Configure", "Synchronize", "Shutdown", "StateChange"));
        for (var event : io.berth.nri.v1.Event.values()) {
            if (event != io.berth.nri.v1.Event.UNRECOGNIZED && event.getNumber() > 0) {
                all.add(EventCalls.method(event));
            }
        }
        return all;
    }

    private MessageLite call(String method, ByteString message) {
        try {
            Function<ByteString, MessageLite> scripted = answers.get(method);
            switch (method) {
                case "Configure" -> {
                    configuration = ConfigureRequest.parseFrom(message);
                    return ConfigureResponse.newBuilder().setEvents(events).build();
                }
                case "Synchronize" -> {
                    return synchronize(SynchronizeRequest.parseFrom(message), message, scripted);
                }
                case "StateChange" -> {
                    var event = io.berth.nri.v1.StateChangeEvent.parseFrom(message);
                    told.add(new Told("StateChange " + event.getEvent(), event.getPod(), event.getContainer()));
                }
                case "UpdatePodSandbox", "ValidateContainerAdjustment" -> told.add(new Told(method,
                        PodSandbox.getDefaultInstance(), Container.getDefaultInstance()));
                default -> {
                    var event = CreateContainerRequest.parseFrom(message);
                    told.add(new Told(method, event.getPod(), event.getContainer()));
                }
            }
            return scripted == null ? Empty.getDefaultInstance() : scripted.apply(message);
        } catch (InvalidProtocolBufferException e) {
            throw RuntimeFault.invalid("test plugin: " + e.getMessage());
        }
    }

    private MessageLite synchronize(SynchronizeRequest request, ByteString message, Function<ByteString, MessageLite> scripted) {
        syncMessages++;
        pods.addAll(request.getPodsList());
        containers.addAll(request.getContainersList());
        MessageLite answer = scripted != null ? scripted.apply(message)
                : SynchronizeResponse.newBuilder().setMore(request.getMore()).build();
        if (!request.getMore()) {
            synchronizedOnce.countDown();
        }
        return answer;
    }

    /** Asks for updates and evictions by itself. */
    public UpdateContainersResponse update(UpdateContainersRequest request) {
        try {
            return UpdateContainersResponse.parseFrom(runtime.call("nri.pkg.api.v1alpha1.Runtime", "UpdateContainers",
                    request.toByteString(), LIMIT));
        } catch (InvalidProtocolBufferException e) {
            throw RuntimeFault.invalid("test plugin: " + e.getMessage());
        }
    }

    public TestPlugin awaitSynchronized() throws InterruptedException {
        if (!synchronizedOnce.await(LIMIT.toSeconds(), TimeUnit.SECONDS)) {
            throw new AssertionError("plugin " + name + " was not synchronized; its connection: " + ended.getNow("lives"));
        }
        return this;
    }

    /** Waits until it is disconnected. */
    public void awaitEnd() throws Exception {
        ended.get(LIMIT.toSeconds(), TimeUnit.SECONDS);
    }

    public boolean isConnected() {
        return !ended.isDone();
    }

    public ConfigureRequest configuration() {
        return configuration;
    }

    public int syncMessages() {
        return syncMessages;
    }

    public List<PodSandbox> pods() {
        return pods;
    }

    public List<Container> containers() {
        return containers;
    }

    public List<Told> told() {
        return told;
    }

    /** The calls that it got for one container, in their order. */
    public List<String> toldOf(String container) {
        return told.stream().filter(each -> each.container().getId().equals(container)).map(Told::method).toList();
    }

    /** The calls that it got for one pod itself, in their order. */
    public List<String> toldOfPod(String pod) {
        return told.stream().filter(each -> each.pod().getId().equals(pod) && each.container().getId().isEmpty())
                .map(Told::method).toList();
    }

    @Override
    public void close() {
        try {
            if (channel != null) {
                channel.close();
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
