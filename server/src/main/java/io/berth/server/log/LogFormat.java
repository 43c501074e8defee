package io.berth.server.log;

/** How a line looks. */
public enum LogFormat {
    /** Time, level, name, {@code key=value}, words; a failure's trace in lines of its own. */
    TEXT,
    /** One JSON object a line, also with a failure. */
    JSON
}
