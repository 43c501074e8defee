package io.berth.nri;

import io.berth.base.RuntimeFault;
import io.berth.nri.v1.CompoundFieldOwners;
import io.berth.nri.v1.Field;
import io.berth.nri.v1.FieldOwners;
import io.berth.nri.v1.PluginInstance;
import io.berth.nri.v1.PodSandbox;
import io.berth.nri.v1.SecurityProfile.ProfileType;
import io.berth.nri.v1.ValidateContainerAdjustmentRequest;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.dataformat.yaml.YAMLMapper;

/** The validator that is always there: refuses kinds of adjustments, and containers whose required plugins are missing. */
record DefaultValidator(ValidatorSettings settings) {

    private static final String REQUIRED = "required-plugins.noderesource.dev";

    /** @throws RuntimeFault PERMISSION_DENIED with what is refused and who wanted it */
    void validate(ValidateContainerAdjustmentRequest request) {
        if (!settings.enable()) {
            return;
        }
        FieldOwners owners = request.getOwners().getOwnersOrDefault(request.getContainer().getId(),
                FieldOwners.getDefaultInstance());
        refuse(settings.rejectOciHooks(), simple(owners, Field.OciHooks), "OCI hooks");
        refuse(rejectsSeccomp(request), simple(owners, Field.SeccompPolicy), "the seccomp policy");
        refuse(settings.rejectNamespaces(), compound(owners, Field.Namespace), "namespaces");
        refuse(settings.rejectSysctls(), compound(owners, Field.Sysctl), "sysctls");
        required(request);
    }

    private static void refuse(boolean rejected, String plugins, String what) {
        if (rejected && !plugins.isEmpty()) {
            throw denied("NRI plugin " + plugins + " changes " + what + ", which [nri.default_validator] forbids");
        }
    }

    private static RuntimeFault denied(String message) {
        return new RuntimeFault(RuntimeFault.Kind.PERMISSION_DENIED, "validate adjustment: " + message);
    }

    private static String simple(FieldOwners owners, Field field) {
        return owners.getSimpleOrDefault(field.getNumber(), "");
    }

    private static String compound(FieldOwners owners, Field field) {
        var entries = owners.getCompoundOrDefault(field.getNumber(), CompoundFieldOwners.getDefaultInstance()).getOwnersMap();
        return String.join(",", new java.util.TreeSet<>(entries.values()));
    }

    private boolean rejectsSeccomp(ValidateContainerAdjustmentRequest request) {
        var linux = request.getContainer().getLinux();
        ProfileType profile = linux.hasSeccompProfile() ? linux.getSeccompProfile().getProfileType() : ProfileType.UNCONFINED;
        return switch (profile) {
            case RUNTIME_DEFAULT -> settings.rejectRuntimeDefaultSeccomp();
            case LOCALHOST -> settings.rejectCustomSeccomp();
            case UNCONFINED, UNRECOGNIZED -> settings.rejectUnconfinedSeccomp();
        };
    }

    private void required(ValidateContainerAdjustmentRequest request) {
        String container = request.getContainer().getName();
        if (tolerates(request.getPod(), container)) {
            return;
        }
        List<String> required = new ArrayList<>(settings.requiredPlugins());
        annotation(request.getPod(), REQUIRED, container).ifPresent(text -> required.addAll(names(text)));
        Set<String> present = new HashSet<>();
        for (PluginInstance plugin : request.getPluginsList()) {
            present.add(plugin.getName());
            present.add(plugin.getIndex() + "-" + plugin.getName());
        }
        required.removeAll(present);
        if (!required.isEmpty()) {
            throw denied("required NRI plugins " + required + " are not connected: start them"
                    + (settings.tolerateMissingAnnotation().isEmpty() ? "" : ", or annotate the pod with "
                    + settings.tolerateMissingAnnotation() + "=true"));
        }
    }

    private boolean tolerates(PodSandbox pod, String container) {
        String key = settings.tolerateMissingAnnotation();
        Optional<String> value = key.isEmpty() ? Optional.empty() : annotation(pod, key, container);
        if (value.isPresent() && !List.of("true", "false").contains(value.get())) {
            throw denied("annotation " + key + " = \"" + value.get() + "\": true or false is needed");
        }
        return value.map(Boolean::parseBoolean).orElse(false);
    }

    // One for the container wins over one for the pod.
    private static Optional<String> annotation(PodSandbox pod, String key, String container) {
        Map<String, String> all = pod.getAnnotationsMap();
        return Stream.of(key + "/container." + container, key + "/pod", key).filter(all::containsKey).findFirst()
                .map(all::get);
    }

    private static List<String> names(String yaml) {
        try {
            JsonNode list = new YAMLMapper().readTree(yaml);
            if (list != null && list.isArray()) {
                return list.valueStream().map(each -> each.asString("")).toList();
            }
        } catch (JacksonException notYaml) {
            throw denied("annotation " + REQUIRED + ": it is no YAML: " + notYaml.getOriginalMessage());
        }
        throw denied("annotation " + REQUIRED + " = \"" + yaml + "\": a list of plugin names is needed");
    }
}
