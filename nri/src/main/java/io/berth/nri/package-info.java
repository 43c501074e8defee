/**
 * Plugins of the Node Resource Interface (NRI): programs that are told of pods and containers and may change them before
 * they are created. Knows nothing of Berth's pods: who uses it translates. Source: github.com/containerd/nri, version 0.12.
 */
package io.berth.nri;
