package io.berth.streaming;

/** What a one-time URL stands for: the request that the kubelet made for its client. */
public sealed interface StreamRequest permits ProcessRequest, PortForwardRequest {}
