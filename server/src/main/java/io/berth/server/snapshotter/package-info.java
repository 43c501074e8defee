/** Snapshotters that are programs of their own, spoken to over gRPC. */
package io.berth.server.snapshotter;
