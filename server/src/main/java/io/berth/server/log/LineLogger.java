package io.berth.server.log;

import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.slf4j.Marker;
import org.slf4j.event.Level;
import org.slf4j.event.LoggingEvent;
import org.slf4j.helpers.LegacyAbstractLogger;
import org.slf4j.helpers.MessageFormatter;
import org.slf4j.spi.LoggingEventAware;

/** A logger of SLF4J that writes lines. Thread-safe. */
final class LineLogger extends LegacyAbstractLogger implements LoggingEventAware {

    private static final long serialVersionUID = 1;

    LineLogger(String name) {
        this.name = name;
    }

    @Override
    public boolean isTraceEnabled() {
        return Log.isOn(name, Level.TRACE);
    }

    @Override
    public boolean isDebugEnabled() {
        return Log.isOn(name, Level.DEBUG);
    }

    @Override
    public boolean isInfoEnabled() {
        return Log.isOn(name, Level.INFO);
    }

    @Override
    public boolean isWarnEnabled() {
        return Log.isOn(name, Level.WARN);
    }

    @Override
    public boolean isErrorEnabled() {
        return Log.isOn(name, Level.ERROR);
    }

    @Override
    protected String getFullyQualifiedCallerName() {
        return null;
    }

    @Override
    protected void handleNormalizedLoggingCall(Level level, Marker marker, String words, Object[] arguments, Throwable failure) {
        String formatted = MessageFormatter.basicArrayFormat(words, arguments);
        Log.write(new LogLine(Instant.now(), level, name, List.of(), formatted == null ? "" : formatted,
                Optional.ofNullable(failure)));
    }

    @Override
    public void log(LoggingEvent event) {
        String formatted = MessageFormatter.basicArrayFormat(event.getMessage(), event.getArgumentArray());
        Log.write(new LogLine(Instant.now(), event.getLevel(), name,
                event.getKeyValuePairs() == null ? List.of() : event.getKeyValuePairs(), formatted == null ? "" : formatted,
                Optional.ofNullable(event.getThrowable())));
    }
}
