/**
 * Images: references, registries, the content store (an OCI image layout), pull and import.
 *
 * <p>Everything that comes from a registry or an archive is hostile: names, sizes, digests and JSON are checked and
 * bounded where they enter. Snapshots are not known here; {@link io.berth.image.Unpacker} is how layers reach them.
 */
package io.berth.image;
