package io.berth.pod.spec;

import io.berth.base.RuntimeFault;
import io.berth.cri.v1.LinuxContainerSecurityContext;
import io.berth.runtime.SeccompDefault;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/** Seccomp, masked and read-only paths. */
final class SecuritySpec {

    private static final String LOCALHOST = "localhost/";
    private static final List<String> RUNTIME_DEFAULTS = List.of("runtime/default", "docker/default");
    private static final long PROFILE_BYTES = 4 << 20;

    private final SeccompDefault seccomp;
    private final SpecSettings settings;

    SecuritySpec(SeccompDefault seccomp, SpecSettings settings) {
        this.seccomp = seccomp;
        this.settings = settings;
    }

    void write(SpecRequest request, ObjectNode linux) {
        LinuxContainerSecurityContext security = request.security();
        if (!request.privileged()) {
            security.getMaskedPathsList().forEach(linux.putArray("maskedPaths")::add);
            security.getReadonlyPathsList().forEach(linux.putArray("readonlyPaths")::add);
            profile(request).ifPresent(profile -> linux.set("seccomp", profile));
        }
    }

    private Optional<JsonNode> profile(SpecRequest request) {
        LinuxContainerSecurityContext security = request.security();
        if (security.hasSeccomp()) {
            return switch (security.getSeccomp().getProfileType()) {
                case RuntimeDefault -> Optional.of(seccomp.profile(ProcessSpec.held(request)));
                case Localhost -> Optional.of(read(security.getSeccomp().getLocalhostRef()));
                case Unconfined, UNRECOGNIZED -> Optional.empty();
            };
        }
        @SuppressWarnings("deprecation")
        String named = security.getSeccompProfilePath();
        String wanted = named.isEmpty() ? settings.unsetSeccompProfile() : named;
        if (wanted.isEmpty() || wanted.equals("unconfined")) {
            return Optional.empty();
        }
        if (RUNTIME_DEFAULTS.contains(wanted)) {
            return Optional.of(seccomp.profile(ProcessSpec.held(request)));
        }
        if (!wanted.startsWith(LOCALHOST)) {
            throw RuntimeFault.invalid("use seccomp profile " + wanted
                    + ": expected runtime/default, unconfined or localhost/PATH");
        }
        return Optional.of(read(wanted));
    }

    private JsonNode read(String reference) {
        String name = reference.startsWith(LOCALHOST) ? reference.substring(LOCALHOST.length()) : reference;
        Path file = settings.seccompProfileRoot().resolve(name).normalize();
        try {
            if (Files.size(file) > PROFILE_BYTES) {
                throw RuntimeFault.invalid("read seccomp profile " + file + ": larger than " + PROFILE_BYTES + " bytes");
            }
            return JsonMapper.shared().readTree(Files.readAllBytes(file));
        } catch (IOException e) {
            throw RuntimeFault.invalid("read seccomp profile " + file + ": " + RuntimeFault.reason(e)
                    + ": put the profile there on this node");
        } catch (JacksonException e) {
            throw RuntimeFault.invalid("read seccomp profile " + file + ": it is not JSON: " + e.getOriginalMessage());
        }
    }
}
