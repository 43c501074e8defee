package io.berth.network.builtin;

import java.nio.file.Path;
import java.util.Optional;

/**
 * The built-in network of one instance. Immutable.
 *
 * @param instance tells instances on one machine apart (letters, digits, underscore): the nftables table is
 *     {@code berth_}{instance}
 * @param bridge the name of the bridge, at most 15 characters; two instances need two bridges and two subnets
 * @param subnet IPv4 addresses of pods; the first is the bridge's own and the pods' gateway
 * @param subnet6 IPv6 addresses of pods, empty for IPv4 only
 * @param mtu of the bridge and the pods' interfaces, 0 for the kernel's default (1500)
 * @param masquerade whether pods reach the outside under the host's address; needs nf_tables in the kernel
 * @param loopbackHostPorts whether host ports answer at 127.0.0.1 too; sets {@code route_localnet} on the bridge and has
 *     packets from pods to 127.0.0.0/8 dropped, which that sysctl would let in
 * @param stateDir where allocated addresses are kept, in {@code ipam/} below it; must survive a restart of Berth, not of
 *     the machine
 */
public record BuiltinSettings(
        String instance,
        String bridge,
        Subnet subnet,
        Optional<Subnet> subnet6,
        int mtu,
        boolean masquerade,
        boolean loopbackHostPorts,
        Path stateDir) {

    /** The pods' addresses unless configured: a private range that kubeadm, docker, podman and k3s leave alone. */
    public static final String DEFAULT_SUBNET = "10.189.0.0/16";

    public BuiltinSettings {
        if (!instance.matches("[A-Za-z0-9_]{1,32}")) {
            throw new IllegalArgumentException(
                    "instance \"" + instance + "\" is not made of letters, digits and underscores");
        }
        if (!bridge.matches("[A-Za-z0-9_.-]{1,15}")) {
            throw new IllegalArgumentException("bridge \"" + bridge + "\" is not a name of at most 15 characters");
        }
    }

    /** Bridge {@code berth0}, {@value #DEFAULT_SUBNET}, masquerade and loopback host ports on. */
    public static BuiltinSettings defaults(String instance, Path stateDir) {
        return new BuiltinSettings(
                instance, "berth0", Subnet.parse(DEFAULT_SUBNET), Optional.empty(), 0, true, true, stateDir);
    }

    /** The nftables table that holds this instance's rules. */
    public String table() {
        return "berth_" + instance;
    }
}
