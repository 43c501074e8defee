package io.berth.pod.ocihook;

import com.google.re2j.Pattern;
import com.google.re2j.PatternSyntaxException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import tools.jackson.databind.JsonNode;

/**
 * The {@code when} of a hook file; all conditions that are there have to hold. The expressions are RE2's, the ones that other
 * readers of these files take, in which no text can make a search take long; they match anywhere in a text.
 *
 * @param always holds where it is true
 * @param annotations expressions for a key and its value; each pair has to match some annotation
 * @param commands one of these has to match the program; empty for no condition
 * @param bindMounts holds where it is true and the client asks for something of the host's to be mounted
 */
record HookConditions(Optional<Boolean> always, Map<Pattern, Pattern> annotations, List<Pattern> commands,
        Optional<Boolean> bindMounts) {

    private static final Set<String> KNOWN = Set.of("always", "annotations", "commands", "hasBindMounts");

    boolean hold(Map<String, String> present, String command, boolean hasBindMounts) {
        return always.orElse(true)
                && annotations.entrySet().stream().allMatch(wanted -> present.entrySet().stream().anyMatch(annotation ->
                        wanted.getKey().matcher(annotation.getKey()).find()
                                && wanted.getValue().matcher(annotation.getValue()).find()))
                && (commands.isEmpty() || commands.stream().anyMatch(wanted -> wanted.matcher(command).find()))
                && bindMounts.map(wanted -> wanted && hasBindMounts).orElse(true);
    }

    static HookConditions parse(Path file, JsonNode when) {
        // A condition that is not known cannot be heeded: the hook would run where it should not.
        when.propertyNames().stream().filter(name -> !KNOWN.contains(name)).findFirst().ifPresent(name -> {
            throw HookFile.bad(file, "when." + name + " is not a known condition");
        });
        Map<Pattern, Pattern> annotations = annotations(file, when.path("annotations"));
        List<Pattern> commands = HookFile.texts(file, when, "commands").stream().map(text -> pattern(file, text)).toList();
        Optional<Boolean> always = flag(file, when, "always");
        Optional<Boolean> bindMounts = flag(file, when, "hasBindMounts");
        if (always.isEmpty() && bindMounts.isEmpty() && annotations.isEmpty() && commands.isEmpty()) {
            throw HookFile.bad(file, "when has no condition, and always, annotations, commands or hasBindMounts is needed");
        }
        return new HookConditions(always, annotations, commands, bindMounts);
    }

    private static Map<Pattern, Pattern> annotations(Path file, JsonNode wanted) {
        Map<Pattern, Pattern> annotations = new LinkedHashMap<>();
        if (!wanted.isMissingNode() && !wanted.isObject()) {
            throw HookFile.bad(file, "when.annotations is not an object");
        }
        wanted.properties().forEach(entry -> {
            if (!entry.getValue().isString()) {
                throw HookFile.bad(file, "when.annotations." + entry.getKey() + " is not a string");
            }
            annotations.put(pattern(file, entry.getKey()), pattern(file, entry.getValue().asString()));
        });
        return annotations;
    }

    private static Optional<Boolean> flag(Path file, JsonNode when, String name) {
        JsonNode value = when.path(name);
        if (value.isMissingNode()) {
            return Optional.empty();
        }
        if (!value.isBoolean()) {
            throw HookFile.bad(file, "when." + name + " is neither true nor false");
        }
        return Optional.of(value.asBoolean());
    }

    private static Pattern pattern(Path file, String text) {
        try {
            return Pattern.compile(text);
        } catch (PatternSyntaxException e) {
            throw HookFile.bad(file, "\"" + text + "\" is not a regular expression: " + e.getDescription());
        }
    }
}
