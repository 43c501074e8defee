package io.berth.network.cni;

import io.berth.base.RuntimeFault;
import io.berth.network.Attachment;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.List;
import tools.jackson.databind.JsonNode;

/**
 * Reads what ADD answered: the result types of all versions from 0.1.0 to 1.1.0.
 *
 * <p>Source: the CNI specification, section 5, "Result types"; before 0.3.0 {@code ip4} and {@code ip6} instead of lists.
 */
final class CniResult {

    private CniResult() {}

    /**
     * The attachment that a result tells of. Addresses of interfaces outside the sandbox (a gateway's) are left out.
     *
     * @throws RuntimeFault INTERNAL when an address cannot be read
     */
    static Attachment attachment(JsonNode result) {
        List<Attachment.Interface> interfaces = new ArrayList<>();
        result.path("interfaces").forEach(one -> interfaces.add(new Attachment.Interface(
                one.path("name").asString(""), one.path("mac").asString(""), one.path("sandbox").asString(""))));
        List<InetAddress> addresses = new ArrayList<>();
        for (JsonNode ip : result.path("ips")) {
            int index = ip.path("interface").asInt(-1);
            boolean outside = index >= 0 && index < interfaces.size() && interfaces.get(index).sandbox().isEmpty();
            if (!outside) {
                addresses.add(address(ip.path("address").asString("")));
            }
        }
        for (String family : List.of("ip4", "ip6")) {
            if (result.path(family).has("ip")) {
                addresses.add(address(result.path(family).path("ip").asString("")));
            }
        }
        return new Attachment(addresses, interfaces, result.toString());
    }

    private static InetAddress address(String text) {
        int slash = text.indexOf('/');
        try {
            return InetAddress.ofLiteral(slash < 0 ? text : text.substring(0, slash));
        } catch (IllegalArgumentException e) {
            throw RuntimeFault.internal("read cni result: \"" + text + "\" is not an address", e);
        }
    }
}
