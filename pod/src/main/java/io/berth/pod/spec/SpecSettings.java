package io.berth.pod.spec;

import io.berth.pod.blockio.BlockioClasses;
import io.berth.pod.ocihook.OciHooks;
import io.berth.pod.rdt.RdtClasses;
import java.nio.file.Path;
import java.util.List;

/**
 * What the operator decides about every container.
 *
 * @param restrictOomScoreAdj never ask for a lower OOM score than Berth's own, which an unprivileged Berth may not give
 * @param seccompProfileRoot where profiles named by a relative path are looked for
 * @param unsetSeccompProfile the profile for a container that names none: empty for unconfined, or {@code runtime/default}
 * @param cdiDirectories where vendors describe their devices; those later in the list win
 * @param blockio the classes of block I/O that pods may name
 * @param rdt the classes of the processor's resource control that pods may name
 * @param hooks what the operator lets run at the stages of containers' lives
 */
public record SpecSettings(boolean restrictOomScoreAdj, Path seccompProfileRoot, String unsetSeccompProfile,
        List<Path> cdiDirectories, BlockioClasses blockio, RdtClasses rdt, OciHooks hooks) {}
