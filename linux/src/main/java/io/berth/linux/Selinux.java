package io.berth.linux;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * SELinux as this machine's kernel and policy have it. Stateless, thread-safe. Source: selinux(8), lxc_contexts(5) of the
 * container policies.
 *
 * @param filesystem selinuxfs; not mounted on a kernel without SELinux
 * @param configuration where the policies are configured
 */
public record Selinux(Path filesystem, Path configuration) {

    /** The extended attribute that holds a file's label. */
    public static final String ATTRIBUTE = "security.selinux";

    private static final Pattern TYPE = Pattern.compile("(?m)^\\s*SELINUXTYPE\\s*=\\s*([a-zA-Z0-9_-]+)\\s*$");

    /** Which of the policy's labels for containers. */
    public enum Kind {
        PROCESS,
        FILE
    }

    /** That of this machine. */
    public static Selinux ofThisMachine() {
        return new Selinux(Path.of("/sys/fs/selinux"), Path.of("/etc/selinux"));
    }

    /** Whether the kernel labels processes and files; it may only report what it would refuse. */
    public boolean isEnabled() {
        return Files.exists(filesystem.resolve("enforce"));
    }

    /** Whether the kernel refuses what the policy does not allow. */
    public boolean isEnforcing() {
        try {
            return Files.readString(filesystem.resolve("enforce")).startsWith("1");
        } catch (IOException absent) {
            return false;
        }
    }

    /** The label that the loaded policy has for containers; empty where it knows of none. */
    public Optional<String> ofContainers(Kind kind) {
        // The file may name labels of a module that is not installed.
        return configured(kind).filter(this::knows);
    }

    private Optional<String> configured(Kind kind) {
        try {
            Matcher type = TYPE.matcher(Files.readString(configuration.resolve("config")));
            if (!type.find()) {
                return Optional.empty();
            }
            String contexts = Files.readString(configuration.resolve(type.group(1)).resolve("contexts/lxc_contexts"));
            Matcher label = Pattern.compile("(?m)^\\s*" + kind.name().toLowerCase(Locale.ROOT)
                    + "\\s*=\\s*\"([^\"]+)\"\\s*$").matcher(contexts);
            return label.find() ? Optional.of(label.group(1)) : Optional.empty();
        } catch (IOException absent) {
            return Optional.empty();
        }
    }

    /** Whether the loaded policy has this label. */
    public boolean knows(String label) {
        try {
            Files.write(filesystem.resolve("context"), label.getBytes(StandardCharsets.UTF_8));
            return true;
        } catch (IOException refused) {
            return false;
        }
    }
}
