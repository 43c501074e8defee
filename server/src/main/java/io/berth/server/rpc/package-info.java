/** The CRI and Berth's own API over gRPC: messages in and out, and the one place where faults become gRPC statuses. */
package io.berth.server.rpc;
