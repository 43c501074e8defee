/**
 * Devices by name, such as GPUs: vendors describe in files what a container needs for a device, and Berth puts that into the
 * container's specification. Source: Container Device Interface specification, SPEC.md.
 */
package io.berth.pod.cdi;
