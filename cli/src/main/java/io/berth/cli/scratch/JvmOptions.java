package io.berth.cli.scratch;

import io.berth.base.RuntimeFault;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;

/** The options of the Java machine that the launchers give to berth, for programs that start it without a launcher. */
public final class JvmOptions {

    private JvmOptions() {}

    /**
     * One of the lists beside the program.
     *
     * @param name {@code any} for every use, {@code serve} for the daemon, {@code command} for all else
     */
    public static List<String> read(String name) {
        try (InputStream file = JvmOptions.class.getResourceAsStream("/jvm/" + name + ".options")) {
            return new String(file.readAllBytes(), StandardCharsets.UTF_8).lines()
                    .filter(line -> !line.startsWith("#")).toList();
        } catch (IOException e) {
            throw RuntimeFault.internal("read the options of the Java machine: " + RuntimeFault.reason(e), e);
        }
    }
}
