package io.berth.pod.container;

import io.berth.base.RuntimeFault;
import io.berth.cri.v1.ContainerConfig;
import io.berth.cri.v1.Signal;
import io.berth.image.ImageConfig;
import io.berth.linux.Signals;

/** Which signal asks a container to end: the request's, else the image's, else SIGTERM. */
final class StopSignals {

    private StopSignals() {}

    static int of(ContainerConfig config, ImageConfig image) {
        if (config.getStopSignal() != Signal.SIGNAL_RUNTIME_DEFAULT) {
            return CriSignals.number(config.getStopSignal()).orElseThrow(() -> RuntimeFault.invalid(
                    "use stop signal " + config.getStopSignal() + ": this kernel has none of that name"));
        }
        if (image.stopSignal().isEmpty()) {
            return Signals.TERM;
        }
        return Signals.parse(image.stopSignal()).orElseThrow(() -> RuntimeFault.invalid(
                "use the image's stop signal " + image.stopSignal() + ": there is none of that name"));
    }
}
