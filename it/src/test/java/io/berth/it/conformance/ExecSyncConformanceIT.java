package io.berth.it.conformance;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import io.berth.cri.v1.ExecSyncRequest;
import io.grpc.Status;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Commands that a probe runs. */
@Timeout(120)
class ExecSyncConformanceIT {

    @RegisterExtension
    static final Cri CRI = new Cri();

    private static ExecSyncRequest request(String container, long seconds, String script) {
        return ExecSyncRequest.newBuilder().setContainerId(container).addAllCmd(List.of("sh", "-c", script))
                .setTimeout(seconds).build();
    }

    @Test
    void outputErrorAndExitCodeComeBack() {
        String container = CRI.sleeper(CRI.pod());
        var answer = CRI.exec(container, "sh", "-c", "echo out; echo err >&2; exit 9");
        assertEquals("out\n", answer.getStdout().toStringUtf8());
        assertEquals("err\n", answer.getStderr().toStringUtf8());
        assertEquals(9, answer.getExitCode());
    }

    @Test
    void bytesComeBackAsTheyAre() {
        String container = CRI.sleeper(CRI.pod());
        byte[] all = CRI.exec(container, "printf", "\\0\\1\\377\\n").getStdout().toByteArray();
        assertEquals(List.of((byte) 0, (byte) 1, (byte) -1, (byte) '\n'), List.of(all[0], all[1], all[2], all[3]));
        assertEquals(4, all.length);
    }

    @Test
    void argumentsAreNotTakenApart() {
        String container = CRI.sleeper(CRI.pod());
        assertEquals("a b\n$HOME\n'\n", CRI.out(container, "printf", "%s\\n", "a b", "$HOME", "'"));
    }

    @Test
    void withoutALimitACommandMayTakeItsTime() {
        String container = CRI.sleeper(CRI.pod());
        assertEquals("late\n", CRI.runtime().execSync(request(container, 0, "sleep 1; echo late")).getStdout().toStringUtf8());
    }

    @Test
    void aCommandThatTakesTooLongIsEnded() {
        String container = CRI.sleeper(CRI.pod());
        Cri.refused(Status.Code.DEADLINE_EXCEEDED, () -> CRI.runtime().execSync(request(container, 1, "exec sleep 4444")));
        assertFalse(CRI.out(container, "ps").contains("sleep 4444"));
    }

    @Test
    void aCommandThatIgnoresItsDeadlineIsEndedToo() {
        String container = CRI.sleeper(CRI.pod());
        Cri.refused(Status.Code.DEADLINE_EXCEEDED, () -> CRI.runtime().execSync(
                request(container, 1, "trap '' TERM INT HUP; while :; do sleep 0.1; done; : stubborn")));
        assertFalse(CRI.out(container, "ps").contains("stubborn"));
    }

    @Test
    void onlyARunningContainerTakesCommands() {
        var pod = CRI.pod();
        String created = CRI.create(pod, config -> { }, "sleep", "1000");
        Cri.refused(() -> CRI.exec(created, "true"));
        String ended = CRI.run(pod, config -> { }, "true");
        CRI.ended(ended);
        Cri.refused(() -> CRI.exec(ended, "true"));
    }

    @Test
    void aProgramThatIsNotThereIsAnError() {
        String container = CRI.sleeper(CRI.pod());
        Cri.refused(() -> CRI.exec(container, "/no/such/program"));
        Cri.refused(() -> CRI.runtime().execSync(ExecSyncRequest.newBuilder().setContainerId(container).build()));
    }

    @Test
    void theCommandHasTheContainersUserDirectoryAndEnvironment() {
        var variable = io.berth.cri.v1.KeyValue.newBuilder().setKey("GIVEN")
                .setValue(com.google.protobuf.ByteString.copyFromUtf8("yes"));
        String container = CRI.sleeper(CRI.pod(), config -> {
            config.setWorkingDir("/desk").addEnvs(variable);
            config.getLinuxBuilder().getSecurityContextBuilder().getRunAsUserBuilder().setValue(1001);
        });
        assertEquals("/desk\nyes\n1001\n", CRI.out(container, "sh", "-c", "pwd; echo $GIVEN; id -u"));
    }

    @Test
    void muchOutputIsCutOffAndDoesNoHarm() {
        CRI.onlyOnBerth("what is done with more than 16 MiB differs");
        String container = CRI.sleeper(CRI.pod());
        var answer = CRI.exec(container, "head", "-c", "100000000", "/dev/zero");
        assertEquals(0, answer.getExitCode());
        assertEquals(16 << 20, answer.getStdout().size());
        assertEquals("fine\n", CRI.out(container, "echo", "fine"));
    }
}
