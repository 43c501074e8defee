/** The built-in network: a bridge on this node, addresses, masquerade and host ports, all over netlink in this process. */
package io.berth.network.builtin;
