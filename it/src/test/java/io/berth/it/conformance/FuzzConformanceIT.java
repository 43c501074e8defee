package io.berth.it.conformance;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.DynamicMessage;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Message;
import io.berth.cri.v1.CreateContainerRequest;
import io.berth.cri.v1.ExecSyncRequest;
import io.berth.cri.v1.ListPodSandboxRequest;
import io.berth.cri.v1.PodSandboxConfig;
import io.berth.cri.v1.RunPodSandboxRequest;
import io.berth.cri.v1.VersionRequest;
import io.berth.linux.Cgroups;
import io.grpc.Status;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * Random requests to every call with one answer: whatever comes, the daemon lives, no answer is INTERNAL or UNKNOWN, and when
 * the pods are removed nothing is left. The usual run is the same each time, so that a change that breaks it is the one at
 * hand; the environment variable {@value #SEED} takes another seed, or "new" for one never seen, {@value #CALLS} more calls.
 */
@Timeout(180)
class FuzzConformanceIT {

    private static final String SEED = "BERTH_FUZZ_SEED";
    private static final String CALLS = "BERTH_FUZZ_CALLS";
    private static final long USUAL_SEED = 11344370046515L;
    private static final int USUAL_CALLS = 1200;
    private static final long USUAL_NANOS = 30_000_000_000L;
    private static final int MOST_PODS = 5;
    private static final Set<Status.Code> NEVER = Set.of(Status.Code.INTERNAL, Status.Code.UNKNOWN, Status.Code.DATA_LOSS,
            Status.Code.UNAVAILABLE);

    @RegisterExtension
    static final Cri CRI = new Cri();

    private final List<String> pods = new ArrayList<>();
    private final List<String> containers = new ArrayList<>();
    private final List<Unary> calls = Unary.all();
    private final Map<Status.Code, Integer> answers = new EnumMap<>(Status.Code.class);
    private final Map<String, String> wrong = new LinkedHashMap<>();
    private RandomGenerator random;
    private FuzzMessages messages;
    private Path directory;
    private String cgroup;

    @Test
    void randomRequestsAreAnsweredAndLeaveNothing() throws Exception {
        CRI.onlyOnBerth("it is about Berth's answers to nonsense");
        long seed = Optional.ofNullable(System.getenv(SEED))
                .map(given -> given.equals("new") ? System.nanoTime() : Long.parseLong(given)).orElse(USUAL_SEED);
        int most = Optional.ofNullable(System.getenv(CALLS)).map(Integer::parseInt).orElse(USUAL_CALLS);
        System.err.println("fuzz: " + SEED + "=" + seed);
        random = new Random(seed);
        directory = CRI.directory();
        cgroup = CRI.underTest().node().orElseThrow().cgroup() + "/fuzz";
        messages = new FuzzMessages(random, texts());
        long deadline = System.nanoTime() + (most > USUAL_CALLS ? USUAL_NANOS * 5 : USUAL_NANOS);
        int made = 0;
        for (; made < most && System.nanoTime() < deadline; made++) {
            call();
        }
        CRI.runtime().version(VersionRequest.getDefaultInstance());
        removeAll();
        System.err.println("fuzz: " + made + " calls: " + new TreeMap<>(answers));
        assertEquals("", String.join("\n", wrong.values()), () -> wrong.size() + " kinds of wrong answers; " + SEED + "=" + seed);
        assertTrue(answers.getOrDefault(Status.Code.OK, 0) > made / 20, () -> "too little succeeds to try anything: " + answers);
    }

    private void call() throws InvalidProtocolBufferException {
        // Those that make something are called more often than the others.
        Unary call = random.nextInt(3) == 0 ? named(random.nextInt(3) == 0 ? "RunPodSandbox" : "CreateContainer") : messages.pick(calls);
        Message valid = valid(call);
        Message request = messages.mutate(valid, messages.pick(List.of(0.0, 0.03, 0.1, 0.3)));
        Unary.Outcome outcome = call.call(CRI.underTest().connection().channel(), request, 30);
        answers.merge(outcome.status().getCode(), 1, Integer::sum);
        boolean late = outcome.status().getCode() == Status.Code.DEADLINE_EXCEEDED && !call.name().equals("ExecSync");
        if (late || NEVER.contains(outcome.status().getCode())) {
            String text = call.name() + ": " + outcome.status().getCode() + " " + outcome.status().getDescription();
            wrong.putIfAbsent(text.replaceAll("[0-9a-f]{6,}|[0-9]+|\"[^\"]*\"", "#"), text + "\nfor\n" + request + "\n");
        }
        outcome.answer().ifPresent(answer -> remember(call, answer));
    }

    private Unary named(String name) {
        return calls.stream().filter(call -> call.name().equals(name)).findFirst().orElseThrow();
    }

    private void remember(Unary call, Message answer) {
        switch (call.name()) {
            case "RunPodSandbox" -> pods.add((String) answer.getField(answer.getDescriptorForType().findFieldByName("pod_sandbox_id")));
            case "CreateContainer" -> {
                containers.add((String) answer.getField(answer.getDescriptorForType().findFieldByName("container_id")));
                if (random.nextBoolean()) {
                    start(containers.getLast());
                }
            }
            default -> { }
        }
        if (pods.size() > MOST_PODS) {
            removePod(pods.removeFirst());
        }
    }

    private void start(String id) {
        Unary start = named("StartContainer");
        start.invoke(CRI.underTest().connection().channel(), start.newRequest().setField(start.field("container_id"), id).build());
    }

    private void removePod(String id) {
        Unary remove = named("RemovePodSandbox");
        assertEquals(Status.Code.OK, remove.invoke(CRI.underTest().connection().channel(),
                remove.newRequest().setField(remove.field("pod_sandbox_id"), id).build()));
    }

    private void removeAll() {
        CRI.runtime().listPodSandbox(ListPodSandboxRequest.getDefaultInstance()).getItemsList().forEach(pod -> removePod(pod.getId()));
        Cgroups.detect().remove(cgroup);
    }

    /** A request that would succeed, with ids of what is there. */
    private Message valid(Unary call) throws InvalidProtocolBufferException {
        Message.Builder request = call.newRequest();
        PodSandboxConfig pod = CRI.podConfig().setLogDirectory(directory.resolve("logs").toString()).build();
        String podId = pods.isEmpty() ? "none" : messages.pick(pods);
        Message made = switch (call.name()) {
            case "RunPodSandbox" -> RunPodSandboxRequest.newBuilder().setConfig(pod).build();
            case "CreateContainer" -> CreateContainerRequest.newBuilder().setPodSandboxId(podId).setSandboxConfig(pod)
                    .setConfig(CRI.containerConfig(new Cri.Pod(podId, pod), messages.pick(FuzzMessages.COMMANDS).toArray(String[]::new)))
                    .build();
            case "ExecSync" -> ExecSyncRequest.newBuilder().addAllCmd(List.of("/bin/echo", "x")).setTimeout(2).build();
            default -> null;
        };
        if (made != null) {
            request.mergeFrom(made.toByteString());
        }
        if (call.field("container_id") != null && !containers.isEmpty()) {
            request.setField(call.field("container_id"), containers.get(random.nextInt(Math.max(0, containers.size() - 8), containers.size())));
        }
        if (call.field("pod_sandbox_id") != null) {
            request.setField(call.field("pod_sandbox_id"), podId);
        }
        if (call.field("image") != null) {
            var image = DynamicMessage.newBuilder(call.field("image").getMessageType());
            request.setField(call.field("image"), image.setField(image.getDescriptorForType().findFieldByName("image"),
                    CRI.images().reference(messages.pick(List.of("busybox:latest", "three-a:latest", "absent:1")))).build());
        }
        return request.build();
    }

    /** Nothing of the node is within reach: see {@link FuzzMessages}. */
    private Map<String, List<String>> texts() {
        String inside = directory.toString();
        List<String> images = List.of(CRI.images().busybox(), CRI.images().reference("absent:1"), "", "UPPER CASE",
                CRI.images().reference("busybox@sha256:12"), "\0", CRI.images().reference("volume:latest"));
        List<String> paths = List.of(inside + "/a", inside + "/a/../b", inside + "/ü", "", "relative", "../up", inside + "/a\nb", "a\0b");
        // Ids of what is there are put into a request before it is changed; here is only what is none.
        List<String> noIds = List.of("", "none", "..", "a\0b", "f".repeat(64), "/");
        Map<String, List<String>> texts = new LinkedHashMap<>();
        texts.put("image", images);
        texts.put("image_ref", images);
        texts.put("user_specified_image", images);
        texts.put("Mount.host_path", List.of(inside + "/a", inside + "/b/c", inside + "/ü", "", "relative", "a\0b"));
        texts.put("Device.host_path", List.of("/dev/null", "/dev/zero", "/dev/no-such", inside + "/a", "", "relative"));
        texts.put("container_path", List.of("/data", "/data/sub", "/etc/hosts", "/../up", "/dev/x", "", "relative", "/ü", "a\0b"));
        texts.put("log_directory", paths);
        texts.put("log_path", List.of("x.log", "sub/x.log", "../x.log", "", "..", "/x.log", "a\nb"));
        texts.put("location", List.of(inside + "/checkpoint.tar", "", "relative", "a\0b"));
        texts.put("output_path", List.of(inside + "/checkpoint.tar", "", "a\0b"));
        texts.put("checkpoint_path", List.of(inside + "/no-checkpoint.tar", "", "a\0b"));
        texts.put("localhost_ref", List.of(inside + "/no-profile", "", inside, "a\0b"));
        texts.put("seccomp_profile_path", List.of("runtime/default", "unconfined", "localhost/" + inside + "/none", "other"));
        texts.put("cgroup_parent", List.of("", cgroup, cgroup + "/../x", "a\nb"));
        texts.put("masked_paths", List.of("/proc/kcore", "/sys/firmware", "/no/such", "relative", ""));
        texts.put("readonly_paths", List.of("/proc/sys", "/no/such", "relative", ""));
        texts.put("working_dir", List.of("/", "/tmp", "/made/anew", "relative", "", "a\0b"));
        texts.put("sysctls", List.of("kernel.shm_rmid_forced", "net.ipv4.ip_local_port_range", "net.ipv4.no_such", "kernel/shmmni", "", "a b"));
        texts.put("sysctls.value", List.of("1", "0", "garbage", "", "a\nb"));
        texts.put("host_ip", List.of("", "127.0.0.1", "::1", "garbage", "127.0.0.1\n"));
        texts.put("runtime_handler", List.of("", "", "runc", "no-such", "../x"));
        texts.put("args", List.of("1", "", "ü", "a\nb", "a\0b"));
        texts.put("container_id", noIds);
        texts.put("pod_sandbox_id", noIds);
        texts.put("target_id", noIds);
        texts.put("id", List.of("", "a", "0", "none", "../.."));
        texts.put("key", List.of("A", "FUZZ_VARIABLE", "", "A=B", "a b", "ü", "a\nb"));
        texts.put("permissions", List.of("", "r", "rwm", "x", "rwmrwm"));
        texts.put("cpuset_cpus", List.of("", "0", "0-1", "99", "a", "0-"));
        texts.put("cpuset_mems", List.of("", "0", "7", "a"));
        texts.put("page_size", List.of("2MB", "1GB", "3MB", "", "../2MB"));
        texts.put("add_capabilities", List.of("NET_ADMIN", "ALL", "chown", "NO_SUCH", ""));
        texts.put("drop_capabilities", List.of("NET_RAW", "ALL", "NO_SUCH", ""));
        texts.put("add_ambient_capabilities", List.of("CHOWN", "NO_SUCH"));
        texts.put("run_as_username", List.of("", "sailor", "nobody", "stowaway", "-1", "a:b", "a\nb"));
        // Options of mounts reach the kernel through the runtime.
        texts.put("mount_options", List.of("ro", "nosuid", "noexec"));
        return texts;
    }
}
