package io.berth.pod.spec;

import io.berth.base.RuntimeFault;
import io.berth.cri.v1.LinuxContainerSecurityContext;
import io.berth.linux.AppArmor;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Which AppArmor profile confines a container. Without AppArmor in the kernel a container that names a profile is refused,
 * one that asks for the default runs without. Where the kernel has it and the node has no program that loads profiles, which a
 * small Debian has not, a container that asks for nothing runs without, as with other runtimes, and one that asks for the
 * default is refused. Thread-safe.
 *
 * @param kernel AppArmor of the machine
 */
record AppArmorSpec(AppArmor kernel) {

    private static final Logger LOG = LoggerFactory.getLogger(AppArmorSpec.class);
    private static final AtomicBoolean TOLD = new AtomicBoolean();
    static final String DEFAULT_PROFILE = "berth-default";
    private static final String LOCALHOST = "localhost/";

    /** The profile's name; empty for none. */
    Optional<String> profile(LinuxContainerSecurityContext security) {
        String wanted = wanted(security);
        if (wanted.isEmpty()) {
            return Optional.empty();
        }
        if (!kernel.isEnabled()) {
            if (wanted.equals(DEFAULT_PROFILE)) {
                return Optional.empty();
            }
            throw RuntimeFault.precondition("use AppArmor profile " + wanted + ": this node's kernel runs without AppArmor");
        }
        if (wanted.equals(DEFAULT_PROFILE)) {
            return defaultProfile(asksFor(security));
        }
        if (!kernel.isLoaded(wanted)) {
            throw RuntimeFault.precondition("use AppArmor profile " + wanted
                    + ": it is not loaded on this node: load it with apparmor_parser");
        }
        return Optional.of(wanted);
    }

    @SuppressWarnings("deprecation")
    private static boolean asksFor(LinuxContainerSecurityContext security) {
        return security.hasApparmor() || !security.getApparmorProfile().isEmpty();
    }

    private Optional<String> defaultProfile(boolean asked) {
        if (kernel.isLoaded(DEFAULT_PROFILE) || kernel.canLoad()) {
            ensureDefault();
            return Optional.of(DEFAULT_PROFILE);
        }
        if (asked) {
            throw RuntimeFault.precondition("use the default AppArmor profile: apparmor_parser, which loads it, is not on this"
                    + " node: install the package apparmor");
        }
        if (!TOLD.getAndSet(true)) {
            LOG.warn("containers run without an AppArmor profile: apparmor_parser, which loads them, is not on this node:"
                    + " install the package apparmor");
        }
        return Optional.empty();
    }

    // A container that names none gets the default, unless it is privileged.
    private static String wanted(LinuxContainerSecurityContext security) {
        if (security.hasApparmor()) {
            return switch (security.getApparmor().getProfileType()) {
                case RuntimeDefault -> DEFAULT_PROFILE;
                case Localhost -> withoutPrefix(security.getApparmor().getLocalhostRef());
                case Unconfined, UNRECOGNIZED -> "";
            };
        }
        @SuppressWarnings("deprecation")
        String named = security.getApparmorProfile();
        return switch (named) {
            case "" -> security.getPrivileged() ? "" : DEFAULT_PROFILE;
            case "runtime/default" -> DEFAULT_PROFILE;
            case "unconfined" -> "";
            default -> {
                if (!named.startsWith(LOCALHOST)) {
                    throw RuntimeFault.invalid("use AppArmor profile " + named
                            + ": expected runtime/default, unconfined or localhost/NAME");
                }
                yield withoutPrefix(named);
            }
        };
    }

    private static String withoutPrefix(String reference) {
        String name = reference.startsWith(LOCALHOST) ? reference.substring(LOCALHOST.length()) : reference;
        if (name.isEmpty() || name.chars().anyMatch(c -> c < 0x20 || c == 0x7f)) {
            throw RuntimeFault.invalid("use AppArmor profile \"" + reference + "\": a name is needed");
        }
        return name;
    }

    private void ensureDefault() {
        if (kernel.isLoaded(DEFAULT_PROFILE)) {
            return;
        }
        try (InputStream in = AppArmorSpec.class.getResourceAsStream("apparmor-default.profile")) {
            kernel.load(new String(in.readAllBytes(), StandardCharsets.UTF_8));
        } catch (IOException e) {
            throw RuntimeFault.internal("read the default AppArmor profile: " + RuntimeFault.reason(e), e);
        }
    }
}
