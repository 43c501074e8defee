package io.berth.shim;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.Any;
import io.berth.runtime.PassedAnnotations;
import io.berth.runtime.RuntimeHandler;
import io.berth.shim.v2.RuncOptions;
import io.berth.shim.v2.RuntimeOptions;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class ShimHandlerTest {

    private static ShimHandler handler(String type, ShimHandler.Options options) {
        return new ShimHandler(new RuntimeHandler("name", Path.of("/shim"), true, RuntimeHandler.Privileged.HOST_DEVICES,
                List.of(), PassedAnnotations.NONE, Optional.empty(), ""), type, options);
    }

    @Test
    void theNameOfARuntimeTellsItsProgram() {
        assertEquals("containerd-shim-runc-v2", ShimHandler.program("io.containerd.runc.v2"));
        assertEquals("containerd-shim-kata-qemu-v2", ShimHandler.program("io.containerd.kata-qemu.v2"));
        assertEquals("containerd-shim-runsc-v1", ShimHandler.program("io.containerd.runsc.v1"));
        assertTrue(ShimHandler.isType("io.containerd.runsc.v1"));
        List.of("oci", "io.containerd.runc", "/bin/x.v2", "a.v2", "..v2", "", "io.containerd.r c.v2").forEach(text ->
                assertEquals(false, ShimHandler.isType(text), text));
    }

    @Test
    void aShimForRuncGetsItsOptions() throws Exception {
        Any any = handler("io.containerd.runc.v2", new ShimHandler.Options("crun", true, false, "/shims", "", ""))
                .taskOptions(Path.of("/root")).orElseThrow();
        assertEquals("containerd.runc.v1.Options", any.getTypeUrl());
        assertEquals(RuncOptions.newBuilder().setBinaryName("crun").setNoPivotRoot(true).setShimCgroup("/shims")
                .setSystemdCgroup(true).setRoot("/root").build(), RuncOptions.parseFrom(any.getValue()));
    }

    @Test
    void anyOtherGetsItsConfigurationFileOrNothing() throws Exception {
        assertEquals(Optional.empty(), handler("io.containerd.kata.v2", new ShimHandler.Options("", false, false, "", "", ""))
                .taskOptions(Path.of("/root")));
        Any any = handler("io.containerd.kata.v2", new ShimHandler.Options("", false, false, "", "t", "/etc/kata.toml"))
                .taskOptions(Path.of("/root")).orElseThrow();
        assertEquals("runtimeoptions.v1.Options", any.getTypeUrl());
        assertEquals(RuntimeOptions.newBuilder().setTypeUrl("t").setConfigPath("/etc/kata.toml").build(),
                RuntimeOptions.parseFrom(any.getValue()));
    }
}
