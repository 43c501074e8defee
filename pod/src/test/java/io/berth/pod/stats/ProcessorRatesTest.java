package io.berth.pod.stats;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.time.Duration;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;

class ProcessorRatesTest {

    private static final long SECOND = 1_000_000_000L;

    private long now = 5 * SECOND;
    private final ProcessorRates rates = new ProcessorRates(() -> now);

    @Test
    void theFirstRateIsTheAverageSinceTheStart() {
        assertEquals(OptionalLong.of(SECOND / 4), rates.observe("c", SECOND, Duration.ofSeconds(4)));
    }

    @Test
    void withoutAKnownStartTheFirstQuestionHasNoRate() {
        assertEquals(OptionalLong.empty(), rates.observe("c", SECOND, Duration.ZERO));
        now += 2 * SECOND;
        assertEquals(OptionalLong.of(SECOND), rates.observe("c", 3 * SECOND, Duration.ZERO));
    }

    @Test
    void theRateIsThatOfTheTimeBetweenTwoQuestions() {
        rates.observe("c", SECOND, Duration.ofSeconds(1000));
        now += 10 * SECOND;
        assertEquals(OptionalLong.of(2 * SECOND), rates.observe("c", 21 * SECOND, Duration.ofSeconds(1010)));
    }

    @Test
    void aQuestionThatComesTooSoonGetsTheLastRateAndDoesNotSpoilTheNext() {
        rates.observe("c", 0, Duration.ofSeconds(1));
        now += 10 * SECOND;
        rates.observe("c", 10 * SECOND, Duration.ofSeconds(11));
        now += SECOND / 2;
        assertEquals(OptionalLong.of(SECOND), rates.observe("c", 100 * SECOND, Duration.ofSeconds(12)));
        now += SECOND / 2;
        assertEquals(OptionalLong.of(3 * SECOND), rates.observe("c", 13 * SECOND, Duration.ofSeconds(12)));
    }

    @Test
    void aCounterThatWentBackIsNoNegativeRate() {
        rates.observe("c", 10 * SECOND, Duration.ofSeconds(10));
        now += 2 * SECOND;
        assertEquals(OptionalLong.of(0), rates.observe("c", SECOND, Duration.ofSeconds(12)));
    }

    @Test
    void manyProcessorsForALongTimeDoNotOverflow() {
        rates.observe("c", 0, Duration.ofSeconds(1));
        now += 100_000 * SECOND;
        assertEquals(OptionalLong.of(512 * SECOND), rates.observe("c", 512 * 100_000 * SECOND, Duration.ofSeconds(1)));
    }

    @Test
    void theRateOfWhatIsForgottenBeginsAnew() {
        rates.observe("c", 0, Duration.ZERO);
        rates.forget("c"::equals);
        now += 2 * SECOND;
        assertEquals(OptionalLong.empty(), rates.observe("c", 2 * SECOND, Duration.ZERO));
    }
}
