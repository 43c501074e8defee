package io.berth.server.log;

import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.logging.Handler;
import java.util.logging.LogRecord;
import java.util.logging.SimpleFormatter;
import org.slf4j.event.Level;

/** What libraries tell the JDK's own logging, gRPC among them, as lines of this log. Thread-safe. */
final class JdkLogHandler extends Handler {

    private static final SimpleFormatter WORDS = new SimpleFormatter();

    @Override
    public void publish(LogRecord told) {
        String logger = Optional.ofNullable(told.getLoggerName()).orElse("");
        Level level = level(told.getLevel().intValue());
        if (Log.isOn(logger, level)) {
            Log.write(new LogLine(Instant.now(), level, logger, List.of(), WORDS.formatMessage(told),
                    Optional.ofNullable(told.getThrown())));
        }
    }

    private static Level level(int number) {
        if (number >= java.util.logging.Level.SEVERE.intValue()) {
            return Level.ERROR;
        }
        if (number >= java.util.logging.Level.WARNING.intValue()) {
            return Level.WARN;
        }
        return number >= java.util.logging.Level.INFO.intValue() ? Level.INFO : Level.DEBUG;
    }

    @Override
    public void flush() {
        System.err.flush();
    }

    @Override
    public void close() {
        flush();
    }
}
