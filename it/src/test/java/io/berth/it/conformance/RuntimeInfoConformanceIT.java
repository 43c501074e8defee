package io.berth.it.conformance;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.berth.cri.v1.RuntimeCondition;
import io.berth.cri.v1.RuntimeConfigRequest;
import io.berth.cri.v1.RuntimeHandler;
import io.berth.cri.v1.StatusRequest;
import io.berth.cri.v1.UpdateRuntimeConfigRequest;
import io.berth.cri.v1.VersionRequest;
import io.grpc.Status;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What the runtime says of itself. */
@Timeout(120)
class RuntimeInfoConformanceIT {

    @RegisterExtension
    static final Cri CRI = new Cri();

    @Test
    void theVersionIsTheOneThatTheKubeletExpects() {
        var version = CRI.runtime().version(VersionRequest.getDefaultInstance());
        assertEquals("0.1.0", version.getVersion());
        assertEquals("v1", version.getRuntimeApiVersion());
        assertFalse(version.getRuntimeName().isEmpty());
        assertFalse(version.getRuntimeVersion().isEmpty());
    }

    @Test
    void bothConditionsAreThereAndHold() {
        var conditions = CRI.runtime().status(StatusRequest.getDefaultInstance()).getStatus().getConditionsList();
        for (String type : List.of("RuntimeReady", "NetworkReady")) {
            assertTrue(conditions.stream().filter(condition -> condition.getType().equals(type))
                    .allMatch(RuntimeCondition::getStatus), type);
            assertEquals(1, conditions.stream().filter(condition -> condition.getType().equals(type)).count());
        }
    }

    @Test
    void moreIsToldWhenAskedFor() {
        assertTrue(CRI.runtime().status(StatusRequest.getDefaultInstance()).getInfoMap().isEmpty());
        assertFalse(CRI.runtime().status(StatusRequest.newBuilder().setVerbose(true).build()).getInfoMap().isEmpty());
    }

    @Test
    void theDefaultHandlerIsAmongTheHandlers() {
        var answer = CRI.runtime().status(StatusRequest.getDefaultInstance());
        List<String> names = answer.getRuntimeHandlersList().stream().map(RuntimeHandler::getName).toList();
        assertTrue(names.contains(""), names::toString);
        assertEquals(names.size(), names.stream().distinct().count());
        assertTrue(answer.getFeatures().getSupplementalGroupsPolicy());
    }

    @Test
    void anUnknownHandlerIsRefused() {
        Cri.refused(() -> CRI.pod(CRI.podConfig().build(), "no-such-handler"));
    }

    @Test
    void aNamedHandlerIsRememberedByThePod() {
        String handler = CRI.runtime().status(StatusRequest.getDefaultInstance()).getRuntimeHandlersList().stream()
                .map(RuntimeHandler::getName).filter(name -> !name.isEmpty()).findFirst().orElse("runc");
        var pod = CRI.pod(CRI.podConfig().build(), handler);
        assertEquals(handler, PodSandboxConformanceIT.status(CRI, pod.id()).getRuntimeHandler());
    }

    @Test
    void theCgroupDriverIsTold() {
        var config = CRI.runtime().runtimeConfig(RuntimeConfigRequest.getDefaultInstance());
        assertTrue(config.hasLinux());
        assertTrue(config.getLinux().getCgroupDriver().getNumber() >= 0);
    }

    @Test
    void thePodsRangeMayBeTold() {
        var request = UpdateRuntimeConfigRequest.newBuilder();
        request.getRuntimeConfigBuilder().getNetworkConfigBuilder().setPodCidr("192.0.2.0/24");
        CRI.runtime().updateRuntimeConfig(request.build());
        assertTrue(CRI.runtime().status(StatusRequest.getDefaultInstance()).getStatus().getConditionsList().stream()
                .allMatch(RuntimeCondition::getStatus));
    }

    @Test
    void whatNoRuntimeOffersIsUnimplementedAndNotAnError() {
        Status status = Cri.refused(() -> CRI.runtime().restorePod(io.berth.cri.v1.RestorePodRequest.getDefaultInstance()));
        assertTrue(List.of(Status.Code.UNIMPLEMENTED, Status.Code.INVALID_ARGUMENT).contains(status.getCode()), status::toString);
    }
}
