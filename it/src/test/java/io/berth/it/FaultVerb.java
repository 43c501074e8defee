package io.berth.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.berth.cli.scratch.PodClient;
import io.berth.cri.v1.AttachRequest;
import io.berth.cri.v1.ContainerConfig;
import io.berth.cri.v1.ContainerState;
import io.berth.cri.v1.ExecRequest;
import io.berth.cri.v1.ImageSpec;
import io.berth.cri.v1.ImageStatusRequest;
import io.berth.cri.v1.ListContainersRequest;
import io.berth.cri.v1.ListPodSandboxRequest;
import io.berth.cri.v1.PodSandboxState;
import io.berth.cri.v1.PullImageRequest;
import io.berth.cri.v1.RemoveContainerRequest;
import io.berth.cri.v1.RemoveImageRequest;
import io.berth.cri.v1.StopContainerRequest;
import io.berth.streaming.client.ChannelClient;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import javax.net.SocketFactory;

/** A verb that tests break: what must be there before it, the call itself, and what must hold once it was repeated. */
abstract class FaultVerb {

    private static final AtomicInteger NUMBER = new AtomicInteger();

    final TestDaemon daemon;
    final Witness witness;
    PodClient.Pod pod;
    String container;

    private FaultVerb(TestDaemon daemon, Witness witness) {
        this.daemon = daemon;
        this.witness = witness;
    }

    /** Makes what the call needs. */
    void prepare() {
        pod = daemon.pods().run(PodClient.config("p" + NUMBER.incrementAndGet(), daemon.node().logs()));
    }

    /** What is broken. */
    abstract void call();

    /** Repeats the call as a client would and looks at the result. */
    abstract void repeat();

    /** Takes away what the verb made. */
    void cleanUp() {
        daemon.pods().stop(pod);
        daemon.pods().remove(pod);
    }

    /** @param images two that a registry has and the daemon has not */
    static List<FaultVerb> all(TestDaemon daemon, Witness witness, List<String> images) {
        return List.of(new RunPod(daemon, witness), new Create(daemon, witness), new Start(daemon, witness),
                new Stop(daemon, witness, 5), new Stop(daemon, witness, 0), new Remove(daemon, witness),
                new StopPod(daemon, witness), new RemovePod(daemon, witness), new ExecSync(daemon, witness),
                new Exec(daemon, witness), new Attach(daemon, witness), new Pull(daemon, witness, images.get(0)),
                new RemoveImage(daemon, witness, images.get(1)));
    }

    @Override
    public String toString() {
        return getClass().getSimpleName();
    }

    /** A container whose program ends with code 3 on SIGTERM. It waits without forking: a shell that cannot fork ends with 2. */
    private static ContainerConfig obedient() {
        return PodClient.container("c", "sh", "-c", "trap 'exit 3' TERM; echo ready; sleep 1000 & wait");
    }

    /** Waits until such a program listens: before that it would not notice the signal, and be killed in the end. */
    void awaitReady() {
        String name = pod.config().getMetadata().getName();
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(20);
        while (!daemon.log(name, "c").contains("ready") && System.nanoTime() < deadline) {
            try {
                Thread.sleep(5);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                return;
            }
        }
    }

    ContainerState state() {
        return daemon.connection().runtime().listContainers(ListContainersRequest.getDefaultInstance()).getContainersList()
                .stream().filter(one -> one.getId().equals(container)).findFirst()
                .map(io.berth.cri.v1.Container::getState).orElse(ContainerState.CONTAINER_UNKNOWN);
    }

    Optional<PodSandboxState> podState(String id) {
        return daemon.connection().runtime().listPodSandbox(ListPodSandboxRequest.getDefaultInstance()).getItemsList()
                .stream().filter(one -> one.getId().equals(id)).findFirst().map(io.berth.cri.v1.PodSandbox::getState);
    }

    // "… attempt 0 is sandbox ID: remove that one …"
    private static String namedIn(StatusRuntimeException refused) {
        assertEquals(Status.Code.ALREADY_EXISTS, refused.getStatus().getCode(), refused.getMessage());
        var id = java.util.regex.Pattern.compile("[a-f0-9]{64}").matcher(refused.getMessage());
        String last = "";
        while (id.find()) {
            last = id.group();
        }
        return last;
    }

    private static final class RunPod extends FaultVerb {
        RunPod(TestDaemon daemon, Witness witness) {
            super(daemon, witness);
        }

        @Override
        void prepare() {
            pod = new PodClient.Pod("", PodClient.config("p" + NUMBER.incrementAndGet(), daemon.node().logs()));
        }

        @Override
        void call() {
            pod = daemon.pods().run(pod.config());
        }

        @Override
        void repeat() {
            try {
                call();
            } catch (StatusRuntimeException refused) {
                pod = new PodClient.Pod(namedIn(refused), pod.config());
            }
            assertEquals(Optional.of(PodSandboxState.SANDBOX_READY), podState(pod.id()));
            container = daemon.pods().run(pod, PodClient.container("c", "sleep", "1000"));
        }
    }

    private static final class Create extends FaultVerb {
        Create(TestDaemon daemon, Witness witness) {
            super(daemon, witness);
        }

        @Override
        void call() {
            container = daemon.pods().create(pod, obedient());
        }

        @Override
        void repeat() {
            try {
                call();
            } catch (StatusRuntimeException refused) {
                container = namedIn(refused);
            }
            assertEquals(ContainerState.CONTAINER_CREATED, state());
            daemon.pods().start(container);
            assertEquals("works\n", daemon.pods().exec(container, "echo", "works").getStdout().toStringUtf8());
        }
    }

    private static final class Start extends FaultVerb {
        Start(TestDaemon daemon, Witness witness) {
            super(daemon, witness);
        }

        @Override
        void prepare() {
            super.prepare();
            container = daemon.pods().create(pod, obedient());
        }

        @Override
        void call() {
            daemon.pods().start(container);
        }

        @Override
        void repeat() {
            try {
                call();
                assertEquals(ContainerState.CONTAINER_RUNNING, state());
                assertEquals("works\n", daemon.pods().exec(container, "echo", "works").getStdout().toStringUtf8());
            } catch (StatusRuntimeException refused) {
                // The truth: it runs already, or its start had failed for good, which its status says.
                assertEquals(Status.Code.FAILED_PRECONDITION, refused.getStatus().getCode(), refused.getMessage());
                var status = daemon.pods().status(container);
                if (status.getState() == ContainerState.CONTAINER_EXITED) {
                    assertTrue(!status.getMessage().isEmpty() && status.getExitCode() != 0, status.toString());
                } else {
                    assertEquals(ContainerState.CONTAINER_RUNNING, status.getState());
                    assertTrue(status.getStartedAt() > 0, "started at no time");
                    assertEquals("works\n", daemon.pods().exec(container, "echo", "works").getStdout().toStringUtf8());
                }
            }
        }
    }

    private static final class Stop extends FaultVerb {
        private final int graceSeconds;

        Stop(TestDaemon daemon, Witness witness, int graceSeconds) {
            super(daemon, witness);
            this.graceSeconds = graceSeconds;
        }

        @Override
        void prepare() {
            super.prepare();
            container = daemon.pods().run(pod, obedient());
            awaitReady();
        }

        @Override
        void call() {
            daemon.connection().runtime().stopContainer(StopContainerRequest.newBuilder().setContainerId(container)
                    .setTimeout(graceSeconds).build());
        }

        @Override
        void repeat() {
            call();
            assertEquals(ContainerState.CONTAINER_EXITED, state());
            int code = daemon.pods().status(container).getExitCode();
            assertTrue(code == 3 || code == 137, "exit code " + code);
        }
    }

    private static final class Remove extends FaultVerb {
        Remove(TestDaemon daemon, Witness witness) {
            super(daemon, witness);
        }

        @Override
        void prepare() {
            super.prepare();
            container = daemon.pods().run(pod, obedient());
            awaitReady();
        }

        @Override
        void call() {
            daemon.connection().runtime().removeContainer(RemoveContainerRequest.newBuilder().setContainerId(container)
                    .build());
        }

        @Override
        void repeat() {
            call();
            assertEquals(ContainerState.CONTAINER_UNKNOWN, state());
        }
    }

    private static final class StopPod extends FaultVerb {
        StopPod(TestDaemon daemon, Witness witness) {
            super(daemon, witness);
        }

        @Override
        void prepare() {
            super.prepare();
            container = daemon.pods().run(pod, obedient());
            awaitReady();
        }

        @Override
        void call() {
            daemon.pods().stop(pod);
        }

        @Override
        void repeat() {
            call();
            assertEquals(Optional.of(PodSandboxState.SANDBOX_NOTREADY), podState(pod.id()));
            assertEquals(ContainerState.CONTAINER_EXITED, state());
        }
    }

    private static final class RemovePod extends FaultVerb {
        RemovePod(TestDaemon daemon, Witness witness) {
            super(daemon, witness);
        }

        @Override
        void prepare() {
            super.prepare();
            container = daemon.pods().run(pod, obedient());
            awaitReady();
            daemon.pods().stop(pod);
        }

        @Override
        void call() {
            daemon.pods().remove(pod);
        }

        @Override
        void repeat() {
            call();
            assertEquals(Optional.empty(), podState(pod.id()));
            assertEquals(ContainerState.CONTAINER_UNKNOWN, state());
        }
    }

    /** What runs in the witness, which stays. */
    private abstract static class InWitness extends FaultVerb {
        InWitness(TestDaemon daemon, Witness witness) {
            super(daemon, witness);
        }

        @Override
        void prepare() { }

        @Override
        void cleanUp() { }

        String streamed(String url) {
            StringBuilder output = new StringBuilder();
            try (ChannelClient client = ChannelClient.connect(URI.create(url), List.of("v5.channel.k8s.io"),
                    SocketFactory.getDefault())) {
                for (var message = client.receive(); message.isPresent() && output.length() < 4;
                        message = client.receive()) {
                    if (message.get().channel() == ChannelClient.STDOUT) {
                        output.append(new String(message.get().payload(), StandardCharsets.UTF_8));
                    }
                }
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
            return output.toString();
        }
    }

    private static final class ExecSync extends InWitness {
        ExecSync(TestDaemon daemon, Witness witness) {
            super(daemon, witness);
        }

        @Override
        void call() {
            assertEquals("done\n", daemon.pods().exec(witness.container(), "echo", "done").getStdout().toStringUtf8());
        }

        @Override
        void repeat() {
            call();
        }
    }

    private static final class Exec extends InWitness {
        Exec(TestDaemon daemon, Witness witness) {
            super(daemon, witness);
        }

        @Override
        void call() {
            String url = daemon.connection().runtime().exec(ExecRequest.newBuilder().setContainerId(witness.container())
                    .addAllCmd(List.of("echo", "done")).setStdout(true).build()).getUrl();
            assertEquals("done\n", streamed(url));
        }

        @Override
        void repeat() {
            call();
        }
    }

    private static final class Attach extends InWitness {
        Attach(TestDaemon daemon, Witness witness) {
            super(daemon, witness);
        }

        @Override
        void call() {
            String url = daemon.connection().runtime().attach(AttachRequest.newBuilder()
                    .setContainerId(witness.container()).setStdout(true).build()).getUrl();
            assertTrue(streamed(url).startsWith("tick"));
        }

        @Override
        void repeat() {
            call();
        }
    }

    private static class Pull extends FaultVerb {
        final ImageSpec image;

        Pull(TestDaemon daemon, Witness witness, String name) {
            super(daemon, witness);
            image = ImageSpec.newBuilder().setImage(name).build();
        }

        @Override
        void prepare() { }

        @Override
        void call() {
            daemon.connection().images().withDeadlineAfter(60, TimeUnit.SECONDS)
                    .pullImage(PullImageRequest.newBuilder().setImage(image).build());
        }

        @Override
        void repeat() {
            call();
            assertTrue(isThere());
        }

        boolean isThere() {
            return daemon.connection().images().imageStatus(ImageStatusRequest.newBuilder().setImage(image).build()).hasImage();
        }

        @Override
        void cleanUp() {
            daemon.connection().images().removeImage(RemoveImageRequest.newBuilder().setImage(image).build());
        }
    }

    private static final class RemoveImage extends Pull {
        RemoveImage(TestDaemon daemon, Witness witness, String name) {
            super(daemon, witness, name);
        }

        @Override
        void prepare() {
            super.call();
        }

        @Override
        void call() {
            super.cleanUp();
        }

        @Override
        void repeat() {
            call();
            assertTrue(!isThere());
        }
    }
}
