package io.berth.nri;

import java.util.List;

/**
 * What the built-in validator refuses.
 *
 * @param enable without it nothing is refused
 * @param requiredPlugins by NAME or INDEX-NAME: no container is created while one of them is missing
 * @param tolerateMissingAnnotation the pod annotation that excepts a pod or container from that; may be empty
 */
public record ValidatorSettings(boolean enable, boolean rejectOciHooks, boolean rejectRuntimeDefaultSeccomp,
        boolean rejectUnconfinedSeccomp, boolean rejectCustomSeccomp, boolean rejectNamespaces, boolean rejectSysctls,
        List<String> requiredPlugins, String tolerateMissingAnnotation) {

    /** Nothing is refused. */
    public static final ValidatorSettings OFF = new ValidatorSettings(false, false, false, false, false, false, false,
            List.of(), "");
}
