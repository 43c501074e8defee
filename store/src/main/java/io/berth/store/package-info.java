/** Durable records: small documents by kind and id that survive a crash of the daemon. Knows nothing of what is in them. */
package io.berth.store;
