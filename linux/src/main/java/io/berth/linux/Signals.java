package io.berth.linux;

import java.util.Locale;
import java.util.Map;
import java.util.OptionalInt;

/** Signal names and numbers. Source: signal(7). */
public final class Signals {

    public static final int HUP = 1;
    public static final int INT = 2;
    public static final int QUIT = 3;
    public static final int KILL = 9;
    public static final int TERM = 15;
    public static final int STOP = 19;
    public static final int WINCH = 28;
    private static final int REALTIME_FIRST = 34;
    private static final int REALTIME_LAST = 64;

    private static final Map<String, Integer> NUMBERS = Map.ofEntries(
            Map.entry("HUP", 1), Map.entry("INT", 2), Map.entry("QUIT", 3), Map.entry("ILL", 4), Map.entry("TRAP", 5),
            Map.entry("ABRT", 6), Map.entry("IOT", 6), Map.entry("BUS", 7), Map.entry("FPE", 8), Map.entry("KILL", 9),
            Map.entry("USR1", 10), Map.entry("SEGV", 11), Map.entry("USR2", 12), Map.entry("PIPE", 13),
            Map.entry("ALRM", 14), Map.entry("TERM", 15), Map.entry("STKFLT", 16), Map.entry("CHLD", 17),
            Map.entry("CLD", 17), Map.entry("CONT", 18), Map.entry("STOP", 19), Map.entry("TSTP", 20),
            Map.entry("TTIN", 21), Map.entry("TTOU", 22), Map.entry("URG", 23), Map.entry("XCPU", 24),
            Map.entry("XFSZ", 25), Map.entry("VTALRM", 26), Map.entry("PROF", 27), Map.entry("WINCH", 28),
            Map.entry("IO", 29), Map.entry("POLL", 29), Map.entry("PWR", 30), Map.entry("SYS", 31),
            Map.entry("RTMIN", REALTIME_FIRST), Map.entry("RTMAX", REALTIME_LAST));

    private Signals() {}

    /** The number for {@code SIGTERM}, {@code TERM}, {@code RTMIN+3} or {@code 15}; empty for other text. */
    public static OptionalInt parse(String text) {
        String name = text.strip().toUpperCase(Locale.ROOT);
        if (name.startsWith("SIG")) {
            name = name.substring(3);
        }
        try {
            if (name.matches("[0-9]{1,2}")) {
                return valid(Integer.parseInt(name));
            }
            if (name.matches("RTMIN\\+[0-9]{1,2}")) {
                return valid(REALTIME_FIRST + Integer.parseInt(name.substring(6)));
            }
            if (name.matches("RTMAX-[0-9]{1,2}")) {
                return valid(REALTIME_LAST - Integer.parseInt(name.substring(6)));
            }
        } catch (NumberFormatException notANumber) {
            return OptionalInt.empty();
        }
        Integer number = NUMBERS.get(name);
        return number == null ? OptionalInt.empty() : OptionalInt.of(number);
    }

    private static OptionalInt valid(int number) {
        return number >= 1 && number <= REALTIME_LAST ? OptionalInt.of(number) : OptionalInt.empty();
    }
}
