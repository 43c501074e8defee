package io.berth.image;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;

class AuthChallengeTest {

    @Test
    void parametersAndSeveralSchemesAreRead() {
        assertEquals(List.of(
                new AuthChallenge("bearer", Map.of("realm", "https://auth.example/token", "service", "a \"b\"", "scope", "x,y")),
                new AuthChallenge("basic", Map.of("realm", "r"))),
                AuthChallenge.parse(List.of("Bearer realm=\"https://auth.example/token\",service=\"a \\\"b\\\"\" , "
                        + "scope=\"x,y\", Basic realm=r")));
        assertEquals(List.of(new AuthChallenge("basic", Map.of())), AuthChallenge.parse(List.of("Basic")));
    }

    @Test
    void malformedHeadersEndTheListAndNeverHang() {
        assertTrue(AuthChallenge.parse(List.of("", "=", "\"", ",,,")).isEmpty());
        assertEquals("", AuthChallenge.parse(List.of("Bearer realm=\"open")).getFirst().parameter("realm"));
        assertEquals("a", AuthChallenge.parse(List.of("Bearer realm=a,realm=b")).getFirst().parameter("realm"));
        Random random = new Random(3);
        String marks = "abcB =\",\\ \t()é";
        for (int i = 0; i < 50_000; i++) {
            StringBuilder text = new StringBuilder();
            for (int j = random.nextInt(40); j > 0; j--) {
                text.append(marks.charAt(random.nextInt(marks.length())));
            }
            AuthChallenge.parse(List.of(text.toString()));
        }
    }
}
