package io.berth.nri;

import java.nio.file.Path;
import java.time.Duration;

/**
 * How plugins are found and how long they are waited for.
 *
 * @param runtimeName what plugins are told of who asks them
 * @param socketPath where plugins connect
 * @param acceptConnections false: only plugins of {@code pluginPath}
 * @param pluginPath the directory of programs that are started, each named INDEX-NAME
 * @param pluginConfigPath the directory of their configurations, INDEX-NAME.conf or NAME.conf
 * @param registrationTimeout how long a plugin may take to register, and then to take up what runs
 * @param requestTimeout how long it may take for any other answer
 * @param runDirectory a directory that only root may enter, for sockets of plugins that are started
 */
public record NriSettings(String runtimeName, String runtimeVersion, Path socketPath, boolean acceptConnections,
        Path pluginPath, Path pluginConfigPath, Duration registrationTimeout, Duration requestTimeout,
        ValidatorSettings validator, Path runDirectory) {}
