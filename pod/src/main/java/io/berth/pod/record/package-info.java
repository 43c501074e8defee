/** The durable state of sandboxes and containers: immutable records in memory, each with its document in the store. */
package io.berth.pod.record;
