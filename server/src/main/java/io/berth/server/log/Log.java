package io.berth.server.log;

import java.util.Map;
import java.util.logging.LogManager;
import org.slf4j.event.Level;

/** What is logged and how, for the whole Java machine. Thread-safe. */
public final class Log {

    /** Others' words that are not for operators: of every option that a unix socket does not know, for one. */
    private static final Map<String, Level> QUIET = Map.of("io.netty.bootstrap", Level.ERROR, "io.netty", Level.WARN,
            "io.grpc", Level.WARN);

    private static volatile Level level = Level.INFO;
    private static volatile LogFormat format = LogFormat.TEXT;

    private Log() {}

    /** Sets both, and takes in what libraries tell the JDK's own logging. */
    public static void set(Level wanted, LogFormat wantedFormat) {
        level = wanted;
        format = wantedFormat;
        LogManager.getLogManager().reset();
        java.util.logging.Logger.getLogger("").addHandler(new JdkLogHandler());
    }

    static boolean isOn(String logger, Level at) {
        Level least = level;
        for (Map.Entry<String, Level> quiet : QUIET.entrySet()) {
            boolean within = logger.startsWith(quiet.getKey())
                    && (logger.length() == quiet.getKey().length() || logger.charAt(quiet.getKey().length()) == '.');
            if (within && quiet.getValue().toInt() > least.toInt()) {
                least = quiet.getValue();
            }
        }
        return at.toInt() >= least.toInt();
    }

    /** Writes to standard error, a line at once. */
    static void write(LogLine line) {
        String text = switch (format) {
            case TEXT -> line.text();
            case JSON -> line.json();
        };
        System.err.println(text);
    }
}
