package io.berth.streaming;

import static java.nio.charset.StandardCharsets.US_ASCII;

import io.berth.base.RandomId;
import io.berth.base.RuntimeFault;
import java.security.MessageDigest;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Iterator;
import java.util.Optional;

/**
 * The URLs that are out and not used yet: each token is good once and for a limited time. Thread-safe.
 *
 * <p>A token is 128 random bits. Every lookup compares with every token, each in constant time, so that the time of an
 * answer says nothing about them; with a thousand that takes some ten microseconds.
 */
final class OneTimeTokens {

    private static final int TOKEN_BYTES = 16;

    private record Entry(byte[] token, StreamRequest request, long expiresNanos) {}

    /** In order of issue, which is the order of expiry. */
    private final Deque<Entry> entries = new ArrayDeque<>();

    private final long lifetimeNanos;
    private final int capacity;

    OneTimeTokens(Duration lifetime, int capacity) {
        this.lifetimeNanos = lifetime.toNanos();
        this.capacity = capacity;
    }

    /** A fresh token for {@code request}. */
    synchronized String issue(StreamRequest request) {
        dropExpired();
        if (entries.size() >= capacity) {
            throw new RuntimeFault(
                    RuntimeFault.Kind.RESOURCE_EXHAUSTED,
                    "issue streaming url: " + capacity + " urls are out and unused, wait for some to expire");
        }
        String token = RandomId.hex(TOKEN_BYTES);
        entries.add(new Entry(token.getBytes(US_ASCII), request, System.nanoTime() + lifetimeNanos));
        return token;
    }

    /** The request of {@code token}, which is used up by this; empty when it is unknown, used or expired. */
    synchronized Optional<StreamRequest> take(String token) {
        dropExpired();
        byte[] wanted = token.getBytes(US_ASCII);
        Entry found = null;
        for (Entry entry : entries) {
            if (MessageDigest.isEqual(entry.token, wanted)) {
                found = entry;
            }
        }
        if (found == null) {
            return Optional.empty();
        }
        entries.remove(found);
        return Optional.of(found.request);
    }

    private void dropExpired() {
        long now = System.nanoTime();
        Iterator<Entry> oldestFirst = entries.iterator();
        while (oldestFirst.hasNext() && oldestFirst.next().expiresNanos - now <= 0) {
            oldestFirst.remove();
        }
    }
}
