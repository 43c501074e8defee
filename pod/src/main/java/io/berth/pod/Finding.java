package io.berth.pod;

/**
 * One thing on the node that no record accounts for, or that a record has and the node has not.
 *
 * @param kind such as {@code bundle}, {@code cgroup}, {@code monitor}
 * @param subject its id, path or process
 * @param action what was done about it, such as {@code removed}
 * @param error why that failed, empty when it did not
 * @param atNanos when it was found, nanoseconds since the epoch
 */
public record Finding(String kind, String subject, String action, String error, long atNanos) {}
