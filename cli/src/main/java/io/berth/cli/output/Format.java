package io.berth.cli.output;

/** In which form a list or an object is printed. */
public enum Format {
    /** For people. */
    TABLE,
    /** For people with a wide screen. */
    WIDE,
    /** The answer of the daemon as JSON, with the names of the protocol. */
    JSON,
    /** The same as YAML. */
    YAML
}
