package io.berth.network.builtin;

import io.berth.base.RuntimeFault;
import io.berth.linux.Errno;
import io.berth.linux.Links;
import io.berth.linux.Links.Link;
import io.berth.linux.NetlinkFault;
import io.berth.linux.Routes;
import io.berth.linux.Routes.InterfaceAddress;
import java.net.Inet4Address;
import java.net.InetAddress;
import java.util.List;
import java.util.Optional;

/** The bridge with the pods' gateway addresses. Thread-safe; owns nothing but what is in the kernel. */
final class Bridge {

    private final BuiltinSettings settings;
    private final Links links;
    private final Routes routes;

    Bridge(BuiltinSettings settings, Links links, Routes routes) {
        this.settings = settings;
        this.links = links;
        this.routes = routes;
    }

    /** The bridge's interface number; makes and sets it up when it is not there. */
    synchronized int ensure() {
        Optional<Link> there = links.find(settings.bridge());
        if (there.isPresent() && there.get().up()) {
            return there.get().index();
        }
        return prepare();
    }

    /** Makes the bridge, or adopts the one that is there, and sets its addresses and sysctls. */
    synchronized int prepare() {
        Optional<Link> there = links.find(settings.bridge());
        List<InterfaceAddress> addresses = routes.addresses();
        int own = there.map(Link::index).orElse(0);
        refuseOverlap(addresses, own);
        if (there.isEmpty()) {
            links.createBridge(settings.bridge(), Mac.of(settings.subnet().gateway()), settings.mtu());
        } else {
            refuseForeign(there.get(), addresses);
        }
        int index = links.find(settings.bridge()).map(Link::index).orElseThrow(() -> RuntimeFault.internal(
                "create bridge " + settings.bridge() + ": it is gone again", null));
        links.up(index);
        address(index, settings.subnet());
        settings.subnet6().ifPresent(subnet -> address(index, subnet));
        sysctls();
        return index;
    }

    private void address(int index, Subnet subnet) {
        try {
            routes.addAddress(index, subnet.gateway(), subnet.prefix());
        } catch (NetlinkFault fault) {
            if (fault.errno() != Errno.EEXIST) {
                throw fault;
            }
        }
    }

    private void sysctls() {
        // Other software may rely on forwarding by the time this network is removed: it is never set back.
        Sysctl.set("ipv4/ip_forward", "1");
        if (settings.subnet6().isPresent()) {
            Sysctl.set("ipv6/conf/all/forwarding", "1");
        }
        Sysctl.set("ipv4/conf/" + settings.bridge() + "/route_localnet", settings.loopbackHostPorts() ? "1" : "0");
    }

    private void refuseForeign(Link link, List<InterfaceAddress> addresses) {
        if (!link.kind().equals("bridge")) {
            throw RuntimeFault.precondition("adopt bridge " + link.name()
                    + ": the interface of this name is no bridge; set another name");
        }
        for (InterfaceAddress one : addresses) {
            boolean foreign = one.linkIndex() == link.index() && one.address() instanceof Inet4Address
                    && !one.address().equals(settings.subnet().gateway());
            if (foreign) {
                throw RuntimeFault.precondition("adopt bridge " + link.name() + ": it has the address "
                        + one.address().getHostAddress() + " and so belongs to another network; set another name, or "
                        + "delete it: ip link delete " + link.name());
            }
        }
    }

    private void refuseOverlap(List<InterfaceAddress> addresses, int own) {
        for (InterfaceAddress one : addresses) {
            if (one.linkIndex() != own && contains(one.address())) {
                String name = links.find(one.linkIndex()).map(Link::name).orElse("");
                throw RuntimeFault.precondition("create bridge " + settings.bridge() + ": interface " + name
                        + " has the address " + one.address().getHostAddress() + " of the subnet " + settings.subnet()
                        + "; set another subnet");
            }
        }
    }

    private boolean contains(InetAddress address) {
        return settings.subnet().contains(address)
                || settings.subnet6().map(subnet -> subnet.contains(address)).orElse(false);
    }

    /** Removes the bridge; nothing happens when it is not there. */
    synchronized void remove() {
        links.delete(settings.bridge());
    }
}
