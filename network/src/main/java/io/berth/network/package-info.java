/**
 * How a sandbox gets its network. {@link io.berth.network.PodNetwork} is the contract; {@code cni} runs the configured
 * CNI plugins, {@code builtin} makes a bridge, veth pairs, addresses and host ports over netlink in this process.
 */
package io.berth.network;
