package io.berth.network.builtin;

import io.berth.linux.Netlink;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.locks.ReentrantLock;

/**
 * The firewall tables of both address families and which leases are published in them. Thread-safe: one change at a time,
 * so that a table made anew holds exactly the ports that were published before.
 */
final class HostRules {

    private final ReentrantLock lock = new ReentrantLock();
    private final List<Firewall> firewalls = new ArrayList<>();
    private final Set<Lease> published = new LinkedHashSet<>();
    private final boolean always;

    /** @param adopted leases that an earlier process published */
    HostRules(BuiltinSettings settings, Netlink netfilter, Collection<Lease> adopted) {
        firewalls.add(new Firewall(settings, settings.subnet(), netfilter));
        settings.subnet6().ifPresent(subnet -> firewalls.add(new Firewall(settings, subnet, netfilter)));
        always = settings.masquerade();
        published.addAll(adopted);
    }

    /** Makes the tables anew where there is anything to put into them. */
    void rebuild() {
        lock.lock();
        try {
            if (always || published.stream().anyMatch(HostRules::hasPorts)) {
                firewalls.forEach(firewall -> firewall.rebuild(published));
            }
        } finally {
            lock.unlock();
        }
    }

    private static boolean hasPorts(Lease lease) {
        return !lease.ports().isEmpty();
    }

    /** Publishes the lease's ports, all or none, and makes tables again that something else removed. */
    void publish(Lease lease) {
        lock.lock();
        try {
            if (!always && !hasPorts(lease)) {
                return;
            }
            List<Firewall> done = new ArrayList<>();
            try {
                for (Firewall firewall : firewalls) {
                    if (!firewall.exists()) {
                        firewall.rebuild(published);
                    }
                    firewall.publish(lease);
                    done.add(firewall);
                }
            } catch (RuntimeException failure) {
                // Only where it succeeded: elsewhere the ports are those of the pod that has them.
                done.forEach(firewall -> firewall.withdraw(lease));
                throw failure;
            }
            published.add(lease);
        } finally {
            lock.unlock();
        }
    }

    /** Takes back what {@link #publish} did; nothing happens for a lease that is not published. */
    void withdraw(Lease lease) {
        lock.lock();
        try {
            if (published.contains(lease)) {
                firewalls.forEach(firewall -> firewall.withdraw(lease));
                published.remove(lease);
            }
        } finally {
            lock.unlock();
        }
    }

    /** Removes the tables. */
    void remove() {
        lock.lock();
        try {
            firewalls.forEach(Firewall::remove);
        } finally {
            lock.unlock();
        }
    }
}
