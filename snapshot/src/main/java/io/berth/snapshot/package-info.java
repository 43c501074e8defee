/**
 * Layers unpacked by chain id, and root filesystems mounted from them with overlayfs. Layer archives are hostile bytes:
 * they are read by a bounded reader and written through descriptors that no path in them can leave.
 */
package io.berth.snapshot;
