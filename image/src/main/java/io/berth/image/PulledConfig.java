package io.berth.image;

import io.berth.base.RuntimeFault;

/** Whether a configuration fits its manifest and this machine, before a byte of a layer is fetched. */
final class PulledConfig {

    private PulledConfig() {}

    static void check(ImageConfig config, Manifest.OfImage manifest, Platform platform, String image) {
        if (config.diffIds().size() != manifest.layers().size()) {
            throw new RuntimeFault(RuntimeFault.Kind.DATA_LOSS, "pull image " + image + ": the manifest has "
                    + manifest.layers().size() + " layers, the configuration " + config.diffIds().size());
        }
        // Images made by hand often say nothing; a wrong processor would only show as "exec format error" later.
        boolean says = !config.os().isEmpty() && !config.architecture().isEmpty();
        if (says && platform.suits(config.platform()) == 0) {
            throw RuntimeFault.notFound("pull image " + image + ": it has no variant for " + platform + "; it has: "
                    + config.platform());
        }
    }
}
