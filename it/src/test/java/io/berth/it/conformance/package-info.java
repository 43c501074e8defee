/**
 * A conformance suite for the Container Runtime Interface: a real gRPC client, real streams, images from a real registry. It
 * runs on a daemon of its own, or on any other runtime whose socket {@code BERTH_CONFORMANCE_SOCKET} names; see
 * docs/conformance.md.
 */
package io.berth.it.conformance;
