package io.berth.image;

/**
 * Credentials and where they come from.
 *
 * @param source in words, such as {@code the request} or the name of a file; has no secret in it
 */
public record FoundCredentials(RegistryCredentials credentials, String source) {}
