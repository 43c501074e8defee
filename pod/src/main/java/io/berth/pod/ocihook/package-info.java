/**
 * Hooks of the operator: files say which program runs at which stage of which containers' lives, and Berth puts that into the
 * container's specification. Source: oci-hooks(5), the schema 1.0.0; hooks are those of the OCI runtime specification.
 */
package io.berth.pod.ocihook;
