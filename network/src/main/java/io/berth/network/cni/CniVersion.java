package io.berth.network.cni;

import io.berth.base.RuntimeFault;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;

/** The versions of the CNI specification that Berth speaks, and what each has. Immutable. */
record CniVersion(String text) implements Comparable<CniVersion> {

    private static final List<String> KNOWN = List.of("0.1.0", "0.2.0", "0.3.0", "0.3.1", "0.4.0", "1.0.0", "1.1.0");
    /** What a configuration without a version means. */
    static final CniVersion OLDEST = new CniVersion("0.1.0");

    /** The newest of {@code offered} that is known. */
    static CniVersion newestOf(Collection<String> offered) {
        return offered.stream().filter(KNOWN::contains).map(CniVersion::new).max(Comparator.naturalOrder())
                .orElseThrow(() -> RuntimeFault.unsupported("cniVersion " + String.join(", ", offered)
                        + " is not one of " + String.join(", ", KNOWN)));
    }

    private int rank() {
        return KNOWN.indexOf(text);
    }

    private boolean atLeast(String version) {
        return rank() >= KNOWN.indexOf(version);
    }

    /** Plugins of a list are given the result of the one before. */
    boolean hasChains() {
        return atLeast("0.3.0");
    }

    /** DEL is given the result of ADD, and there is CHECK. */
    boolean hasCheck() {
        return atLeast("0.4.0");
    }

    /** There are STATUS and GC. */
    boolean hasStatusAndGc() {
        return atLeast("1.1.0");
    }

    @Override
    public int compareTo(CniVersion other) {
        return Integer.compare(rank(), other.rank());
    }

    @Override
    public String toString() {
        return text;
    }
}
