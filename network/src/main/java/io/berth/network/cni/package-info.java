/** Runs the plugins of a CNI configuration. Source: the CNI specification, 0.3.1 to 1.1.0. */
package io.berth.network.cni;
