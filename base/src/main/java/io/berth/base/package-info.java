/** What every module may use: faults, digests, ids, the undo stack, keyed locks, timelines. Depends on nothing. */
package io.berth.base;
