package io.berth.server.rpc;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class StatusWordsTest {

    @Test
    void usualWordsStayAsTheyAre() {
        String words = "create container ünïcode: \"x\" 100 % \u00e9\ntwo lines";
        assertEquals(words, StatusWords.of(words));
    }

    @ParameterizedTest
    @ValueSource(strings = {"a", "%", "\u0001", "\ufffd", "\u20ac", "\ud83d\ude00", "\ud83d"})
    void whateverIsSaidFitsIntoTheHeaders(String part) {
        String words = StatusWords.of(part.repeat(100_000));
        assertTrue(URLEncoder.encode(words, StandardCharsets.UTF_8).length() < 7000);
        assertTrue(words.endsWith("(cut)") && words.length() > 500, words.length() + " characters are left");
    }
}
