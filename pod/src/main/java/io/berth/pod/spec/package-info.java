/**
 * The OCI specification of a container, written from the CRI configuration, the image's configuration and the sandbox.
 * One file for each part of the specification. Source: OCI runtime-spec config.md and config-linux.md; cri-api.
 */
package io.berth.pod.spec;
