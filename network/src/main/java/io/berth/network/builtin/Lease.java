package io.berth.network.builtin;

import io.berth.base.RandomId;
import io.berth.network.PortMapping;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;

/**
 * An address index that belongs to a sandbox, with what must be undone for it: the whole record of an attachment.
 * Immutable.
 *
 * @param index the address at this index of the subnet (of both subnets where there are two)
 * @param hostInterface the sandbox's interface on the bridge
 * @param ports published host ports
 */
record Lease(String sandboxId, int index, String hostInterface, List<PortMapping> ports) {

    private static final int NAME_DIGITS = 12;

    Lease {
        ports = List.copyOf(ports);
    }

    static Lease of(String sandboxId, int index, List<PortMapping> ports) {
        List<PortMapping> published = ports.stream().filter(PortMapping::isPublished).distinct().toList();
        return new Lease(sandboxId, index, interfaceName(sandboxId), published);
    }

    /** At most 15 characters, the same for the same sandbox: {@code bv} and the beginning of its id. */
    static String interfaceName(String sandboxId) {
        String digits = RandomId.isId(sandboxId) ? sandboxId : sha256(sandboxId);
        return "bv" + digits.substring(0, NAME_DIGITS);
    }

    private static String sha256(String text) {
        try {
            byte[] digest = MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8));
            return HexFormat.of().formatHex(digest);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }
}
