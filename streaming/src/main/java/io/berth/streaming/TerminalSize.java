package io.berth.streaming;

/** The size of a client's terminal in character cells, each 0 to 65535. */
public record TerminalSize(int columns, int rows) {}
