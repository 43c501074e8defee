/**
 * ttrpc: remote calls with frames of ten bytes of header, for two processes of one machine. Unary calls only, which is all
 * that NRI and the task service of shims need. Source: github.com/containerd/ttrpc, PROTOCOL.md and request.proto.
 */
package io.berth.ttrpc;
