package io.berth.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import org.junit.jupiter.api.Test;

class ServeCommandTest {

    private static boolean isPlain(String... arguments) {
        return ServeCommand.plain(arguments).isPresent();
    }

    @Test
    void onlyKnownOptionsWithValuesGoPastTheCommandLineLibrary() {
        assertEquals(List.of(true, true, true), List.of(isPlain("serve"), isPlain("serve", "--config", "/c.toml"),
                isPlain("serve", "--root", "/r", "--state", "/s", "--socket", "/b.sock")));
        assertEquals(List.of(false, false, false, false, false, false), List.of(isPlain(), isPlain("ps"),
                isPlain("serve", "--help"), isPlain("serve", "--config"), isPlain("serve", "--config=/c.toml"),
                isPlain("serve", "--colour", "red")));
    }
}
