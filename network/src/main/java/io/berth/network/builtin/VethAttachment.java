package io.berth.network.builtin;

import io.berth.base.RuntimeFault;
import io.berth.linux.Errno;
import io.berth.linux.Fd;
import io.berth.linux.Links;
import io.berth.linux.Links.Link;
import io.berth.linux.Links.VethPair;
import io.berth.linux.Namespaces;
import io.berth.linux.Netlink;
import io.berth.linux.NetlinkFault;
import io.berth.linux.Routes;
import io.berth.network.Attachment;
import io.berth.network.Bandwidth;
import java.net.InetAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/** The veth pair of one lease: from the bridge to {@code eth0} of the sandbox. */
final class VethAttachment {

    private static final String POD_INTERFACE = "eth0";
    private static final JsonMapper JSON = JsonMapper.builder().build();

    private record PodAddress(InetAddress address, Subnet subnet) {}

    private final BuiltinSettings settings;
    private final Links links;
    private final Lease lease;

    /** @param links of the host */
    VethAttachment(BuiltinSettings settings, Links links, Lease lease) {
        this.settings = settings;
        this.links = links;
        this.lease = lease;
    }

    /** Makes the pair, puts its host side on the bridge and gives the other its addresses and default routes. */
    void create(Path netns, int bridgeIndex, Optional<Bandwidth> bandwidth) {
        var pair = new VethPair(lease.hostInterface(), bridgeIndex, POD_INTERFACE, mac(), settings.mtu());
        try (Fd namespace = Fd.openReadOnly(netns)) {
            createPair(pair, namespace);
        }
        links.hairpin(lease.hostInterface());
        bandwidth.ifPresent(this::limitIngress);
        try (Netlink inside = Namespaces.in(netns, Netlink::route)) {
            Links own = new Links(inside);
            int index = own.find(POD_INTERFACE).map(Link::index).orElseThrow(
                    () -> RuntimeFault.internal("configure " + POD_INTERFACE + ": it is not in " + netns, null));
            own.up(index);
            bandwidth.map(Bandwidth::egress).ifPresent(limit -> limit.ifPresent(bits -> own.limit(index, bits)));
            Routes routes = new Routes(inside);
            for (PodAddress one : addresses()) {
                routes.addAddress(index, one.address, one.subnet.prefix());
                routes.addDefaultRoute(one.subnet.gateway(), index);
            }
        }
    }

    // What the host's side sends is what the pod receives.
    private void limitIngress(Bandwidth bandwidth) {
        bandwidth.ingress().ifPresent(bits -> links.limit(
                links.find(lease.hostInterface()).map(Link::index).orElseThrow(), bits));
    }

    /** Limits the pair that is there already. */
    void limit(Path netns, Bandwidth bandwidth) {
        limitIngress(bandwidth);
        bandwidth.egress().ifPresent(bits -> {
            try (Netlink inside = Namespaces.in(netns, Netlink::route)) {
                Links own = new Links(inside);
                own.limit(own.find(POD_INTERFACE).map(Link::index).orElseThrow(), bits);
            }
        });
    }

    private void createPair(VethPair pair, Fd namespace) {
        try {
            links.createVeth(pair, namespace);
        } catch (NetlinkFault fault) {
            // A leftover of this sandbox whose namespace has not ended: its name says that it is ours.
            if (fault.errno() != Errno.EEXIST || !links.delete(pair.hostName())) {
                throw fault;
            }
            links.createVeth(pair, namespace);
        }
    }

    /** Whether the pair is there with its addresses. */
    boolean isComplete(Path netns) {
        if (links.find(lease.hostInterface()).isEmpty() || !Files.exists(netns)) {
            return false;
        }
        try (Netlink inside = Namespaces.in(netns, Netlink::route)) {
            Optional<Link> link = new Links(inside).find(POD_INTERFACE);
            List<InetAddress> there = new Routes(inside).addresses().stream()
                    .filter(one -> link.isPresent() && one.linkIndex() == link.get().index())
                    .map(Routes.InterfaceAddress::address).toList();
            return there.containsAll(addresses().stream().map(PodAddress::address).toList());
        }
    }

    private String mac() {
        return Mac.of(settings.subnet().address(lease.index()));
    }

    private List<PodAddress> addresses() {
        List<PodAddress> all = new ArrayList<>();
        all.add(new PodAddress(settings.subnet().address(lease.index()), settings.subnet()));
        settings.subnet6().ifPresent(subnet -> all.add(new PodAddress(subnet.address(lease.index()), subnet)));
        return all;
    }

    /** The attachment, with a result in the form of CNI 1.0. */
    Attachment result(Path netns) {
        List<Attachment.Interface> interfaces = List.of(
                new Attachment.Interface(settings.bridge(), Mac.of(settings.subnet().gateway()), ""),
                new Attachment.Interface(lease.hostInterface(), "", ""),
                new Attachment.Interface(POD_INTERFACE, mac(), netns.toString()));
        ObjectNode result = JSON.createObjectNode().put("cniVersion", "1.0.0");
        var list = result.putArray("interfaces");
        for (Attachment.Interface one : interfaces) {
            ObjectNode entry = list.addObject().put("name", one.name());
            if (!one.mac().isEmpty()) {
                entry.put("mac", one.mac());
            }
            if (!one.sandbox().isEmpty()) {
                entry.put("sandbox", one.sandbox());
            }
        }
        var ips = result.putArray("ips");
        var routes = result.putArray("routes");
        for (PodAddress one : addresses()) {
            ips.addObject().put("interface", interfaces.size() - 1)
                    .put("address", one.address.getHostAddress() + "/" + one.subnet.prefix())
                    .put("gateway", one.subnet.gateway().getHostAddress());
            routes.addObject().put("dst", one.subnet.isIpv6() ? "::/0" : "0.0.0.0/0");
        }
        result.putObject("dns");
        return new Attachment(addresses().stream().map(PodAddress::address).toList(), interfaces, result.toString());
    }
}
