/** Checkpoints of containers as files. Knows records, not verbs. Source: criu(8), the archive format that the peers share. */
package io.berth.pod.checkpoint;
