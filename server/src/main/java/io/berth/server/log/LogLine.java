package io.berth.server.log;

import io.berth.base.CallScope;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.time.Instant;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import org.slf4j.event.KeyValuePair;
import org.slf4j.event.Level;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/** One line of the log. */
record LogLine(Instant at, Level level, String logger, List<KeyValuePair> values, String words, Optional<Throwable> failure) {

    private static final DateTimeFormatter TEXT_TIME = DateTimeFormatter.ofPattern("yyyy-MM-dd HH:mm:ss.SSS")
            .withZone(ZoneId.systemDefault());
    private static final Set<String> OWN = Set.of("time", "level", "logger", "message", "error", "stack");

    String text() {
        StringBuilder line = new StringBuilder(TEXT_TIME.format(at)).append(' ').append(level).append(' ')
                .append(logger.substring(logger.lastIndexOf('.') + 1)).append(" -");
        values.forEach(value -> line.append(' ').append(value.key).append('=').append(value.value));
        line.append(' ').append(words);
        failure.ifPresent(each -> line.append(System.lineSeparator()).append(stack(each).stripTrailing()));
        return line.toString();
    }

    String json() {
        ObjectNode line = JsonMapper.shared().createObjectNode();
        line.put("time", at.truncatedTo(ChronoUnit.MICROS).toString()).put("level", level.name().toLowerCase(Locale.ROOT))
                .put("logger", logger).put("message", words);
        CallScope.current().flatMap(CallScope.Call::traceId).ifPresent(id -> line.put("trace", id));
        values.forEach(value -> put(line, OWN.contains(value.key) ? value.key + "_" : value.key, value.value));
        failure.ifPresent(each -> line.put("error", each.toString()).put("stack", stack(each)));
        return line.toString();
    }

    private static void put(ObjectNode line, String key, Object value) {
        switch (value) {
            case Integer number -> line.put(key, number);
            case Long number -> line.put(key, number);
            case Double number -> line.put(key, number);
            case Boolean flag -> line.put(key, flag);
            case null, default -> line.put(key, String.valueOf(value));
        }
    }

    private static String stack(Throwable failure) {
        StringWriter trace = new StringWriter();
        failure.printStackTrace(new PrintWriter(trace));
        return trace.toString();
    }
}
