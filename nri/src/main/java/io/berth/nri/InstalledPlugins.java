package io.berth.nri;

import io.berth.base.RuntimeFault;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.function.BiConsumer;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The plugins that are started with the runtime: executable files INDEX-NAME of a directory. */
record InstalledPlugins(NriSettings settings) {

    private static final Logger LOG = LoggerFactory.getLogger(InstalledPlugins.class);
    private static final long CONFIG_LIMIT = 1 << 20;

    /** Starts each, in the order of their names, and hands it on with its configuration. One that fails is left out. */
    void start(BiConsumer<PluginProcess, String> started) {
        for (Path program : programs()) {
            try {
                PluginName name = PluginName.parse(program.getFileName().toString());
                String config = config(name);
                started.accept(PluginProcess.start(program, name, settings.runDirectory()), config);
            } catch (RuntimeFault fault) {
                LOG.atError().addKeyValue("plugin", program).setCause(fault).log("NRI plugin is not started");
            }
        }
    }

    private List<Path> programs() {
        Path directory = settings.pluginPath();
        if (!Files.isDirectory(directory)) {
            return List.of();
        }
        try (Stream<Path> files = Files.list(directory)) {
            return files.filter(file -> Files.isRegularFile(file) && Files.isExecutable(file)).sorted().toList();
        } catch (IOException e) {
            throw RuntimeFault.internal("list NRI plugins in " + directory + ": " + RuntimeFault.reason(e), e);
        }
    }

    private String config(PluginName name) {
        for (String file : List.of(name + ".conf", name.base() + ".conf")) {
            Path path = settings.pluginConfigPath().resolve(file);
            try {
                if (Files.exists(path)) {
                    if (Files.size(path) > CONFIG_LIMIT) {
                        throw RuntimeFault.invalid("read " + path + ": it is larger than " + CONFIG_LIMIT + " bytes");
                    }
                    return Files.readString(path);
                }
            } catch (IOException e) {
                throw RuntimeFault.internal("read " + path + ": " + RuntimeFault.reason(e), e);
            }
        }
        return "";
    }
}
