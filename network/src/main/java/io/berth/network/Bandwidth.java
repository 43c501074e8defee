package io.berth.network;

import io.berth.base.RuntimeFault;
import java.math.BigDecimal;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The traffic limits that a pod's annotations ask for, in bits per second. Immutable.
 *
 * <p>Source: the Kubernetes documentation of the bandwidth plugin; {@code kubernetes.io/ingress-bandwidth: 10M}.
 *
 * @param ingress towards the pod
 * @param egress from the pod
 */
public record Bandwidth(OptionalLong ingress, OptionalLong egress) {

    private static final String INGRESS = "kubernetes.io/ingress-bandwidth";
    private static final String EGRESS = "kubernetes.io/egress-bandwidth";
    private static final Pattern QUANTITY = Pattern.compile("([0-9]+(?:\\.[0-9]+)?)(|k|M|G|T|P|Ki|Mi|Gi|Ti|Pi)");
    private static final long LEAST = 1_000;
    private static final long MOST = 1_000_000_000_000_000L;
    private static final String PREFIXES = "kMGTP";

    /**
     * Reads the annotations; empty when there is neither.
     *
     * @throws RuntimeFault INVALID_ARGUMENT for a value that is no quantity between 1k and 1P
     */
    public static Optional<Bandwidth> of(Map<String, String> annotations) {
        OptionalLong ingress = read(annotations, INGRESS);
        OptionalLong egress = read(annotations, EGRESS);
        return ingress.isEmpty() && egress.isEmpty() ? Optional.empty() : Optional.of(new Bandwidth(ingress, egress));
    }

    private static OptionalLong read(Map<String, String> annotations, String name) {
        String text = annotations.get(name);
        if (text == null) {
            return OptionalLong.empty();
        }
        Matcher matcher = QUANTITY.matcher(text.strip());
        if (matcher.matches()) {
            BigDecimal bits = new BigDecimal(matcher.group(1)).multiply(factor(matcher.group(2)));
            if (bits.compareTo(BigDecimal.valueOf(LEAST)) >= 0 && bits.compareTo(BigDecimal.valueOf(MOST)) <= 0) {
                return OptionalLong.of(bits.longValue());
            }
        }
        throw RuntimeFault.invalid("read annotation " + name + ": \"" + text + "\" is not a quantity between 1k and 1P");
    }

    private static BigDecimal factor(String suffix) {
        if (suffix.isEmpty()) {
            return BigDecimal.ONE;
        }
        // The binary suffix of k is written Ki.
        int power = PREFIXES.indexOf(suffix.startsWith("K") ? 'k' : suffix.charAt(0)) + 1;
        return BigDecimal.valueOf(suffix.endsWith("i") ? 1024 : 1000).pow(power);
    }
}
