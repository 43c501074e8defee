package io.berth.server.log;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.berth.base.CallScope;
import io.berth.base.Timeline;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.slf4j.event.KeyValuePair;
import org.slf4j.event.Level;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

class LogLineTest {

    private static final Instant AT = Instant.parse("2026-11-24T01:02:03.456789123Z");

    private static LogLine line(String words, Throwable failure, KeyValuePair... values) {
        return new LogLine(AT, Level.WARN, "io.berth.pod.Reconcile", List.of(values), words, Optional.ofNullable(failure));
    }

    private static JsonNode read(String json) {
        assertFalse(json.contains("\n"), "more than one line: " + json);
        return JsonMapper.shared().readTree(json);
    }

    @Test
    void aLineForProgramsHasItsFactsAsFields() {
        JsonNode read = read(line("found\nby \"chance\" \u2028", null, new KeyValuePair("container", "c1"),
                new KeyValuePair("ms", 12L), new KeyValuePair("ok", true), new KeyValuePair("level", "of water"),
                new KeyValuePair("gone", null)).json());
        assertEquals("2026-11-24T01:02:03.456789Z", read.path("time").asString());
        assertEquals("warn", read.path("level").asString());
        assertEquals("io.berth.pod.Reconcile", read.path("logger").asString());
        assertEquals("found\nby \"chance\" \u2028", read.path("message").asString());
        assertEquals("c1", read.path("container").asString());
        assertEquals(12, read.path("ms").asInt());
        assertTrue(read.path("ok").booleanValue());
        assertEquals("of water", read.path("level_").asString());
        assertEquals("null", read.path("gone").asString());
        List<String> names = new ArrayList<>(read.propertyNames());
        assertEquals(List.of("time", "level", "logger", "message"), names.subList(0, 4));
    }

    @Test
    void aFailureStaysInItsLine() {
        JsonNode read = read(line("failed", new IllegalStateException("two\nlines")).json());
        assertEquals("java.lang.IllegalStateException: two\nlines", read.path("error").asString());
        assertTrue(read.path("stack").asString().contains("LogLineTest"));
    }

    @Test
    void theTraceOfTheCallIsTold() {
        CallScope.Call call = new CallScope.Call() {
            @Override
            public void step(Timeline.Step step) {}

            @Override
            public Optional<String> traceId() {
                return Optional.of("0af7651916cd43dd8448eb211c80319c");
            }
        };
        assertEquals("0af7651916cd43dd8448eb211c80319c",
                read(CallScope.within(call, () -> line("traced", null).json())).path("trace").asString());
        assertTrue(read(line("alone", null).json()).path("trace").isMissingNode());
    }

    @Test
    void aLineForPeopleIsShort() {
        String text = line("gone", null, new KeyValuePair("container", "c1"), new KeyValuePair("ms", 12L)).text();
        assertTrue(text.matches("[0-9-]{10} [0-9:]{8}\\.456 WARN Reconcile - container=c1 ms=12 gone"), text);
    }

    @Test
    void othersAreQuietUnlessItMatters() {
        assertTrue(Log.isOn("io.berth.pod.Recover", Level.INFO));
        assertFalse(Log.isOn("io.berth.pod.Recover", Level.DEBUG));
        assertFalse(Log.isOn("io.netty.channel", Level.INFO));
        assertTrue(Log.isOn("io.netty.channel", Level.WARN));
        assertTrue(Log.isOn("io.nettyish", Level.INFO));
        assertFalse(Log.isOn("io.netty.bootstrap.ServerBootstrap", Level.WARN));
        assertFalse(Log.isOn("io.grpc.internal.ManagedChannelImpl", Level.INFO));
    }
}
