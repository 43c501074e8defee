package io.berth.linux;

import io.berth.base.RuntimeFault;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;

/**
 * AppArmor as this machine's kernel has it. Stateless, thread-safe. Source: apparmor(7), apparmor_parser(8).
 *
 * @param parameters the kernel module's parameters; the directory is not there on a kernel without AppArmor
 * @param security its part of securityfs
 * @param searchPath directories of programs
 */
public record AppArmor(Path parameters, Path security, List<Path> searchPath) {

    private static final String PARSER = "apparmor_parser";

    private static final Duration PARSER_LIMIT = Duration.ofSeconds(30);

    /** That of this machine. */
    public static AppArmor ofThisMachine() {
        return new AppArmor(Path.of("/sys/module/apparmor/parameters"), Path.of("/sys/kernel/security/apparmor"),
                Stream.of(Command.searchPath().split(":")).filter(each -> !each.isEmpty()).map(Path::of).toList());
    }

    /** Whether the kernel confines by profiles. */
    public boolean isEnabled() {
        try {
            return Files.readString(parameters.resolve("enabled")).startsWith("Y");
        } catch (IOException absent) {
            return false;
        }
    }

    /** Whether a profile of this name is loaded, in whatever mode. */
    public boolean isLoaded(String profile) {
        try (Stream<String> lines = Files.lines(security.resolve("profiles"))) {
            // "NAME (enforce)"; a name may have blanks in it.
            return lines.anyMatch(line -> line.startsWith(profile + " (") && line.indexOf('(', profile.length() + 2) < 0);
        } catch (IOException e) {
            throw RuntimeFault.precondition("list the loaded AppArmor profiles: " + RuntimeFault.reason(e)
                    + ": is securityfs mounted at /sys/kernel/security?");
        }
    }

    /** Whether there is the program that loads profiles. A kernel may have AppArmor on a node that never installed it. */
    public boolean canLoad() {
        return searchPath.stream().anyMatch(directory -> Files.isExecutable(directory.resolve(PARSER)));
    }

    /** Loads profiles, replacing those of the same name. */
    public void load(String text) {
        try {
            Path file = Files.createTempFile("berth-apparmor", ".profile");
            try {
                Files.writeString(file, text);
                Command.Output output = Command.of(List.of(PARSER, "--replace", "--skip-cache", file.toString()),
                        PARSER_LIMIT).run();
                if (output.exitCode() != 0) {
                    throw RuntimeFault.precondition("load AppArmor profile: " + output.stderrText().strip());
                }
            } finally {
                Files.delete(file);
            }
        } catch (IOException e) {
            throw RuntimeFault.internal("load AppArmor profile: " + RuntimeFault.reason(e), e);
        }
    }
}
