package io.berth.server.extension;

/**
 * How an extension does.
 *
 * @param state {@code active}, {@code hanging}, or {@code not loaded}
 * @param takesPartIn such as {@code images, events}
 * @param failures how often it failed or was late
 * @param lastFailure empty where there was none
 */
public record ExtensionState(String name, String state, String takesPartIn, long failures, String lastFailure) {}
