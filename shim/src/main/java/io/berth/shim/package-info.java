/**
 * Containers behind a shim of containerd's (runtime v2): one shim for each pod, started by its program and spoken to by
 * ttrpc. Knows nothing of pods but their ids. Source: containerd's docs/runtime-v2.md, the published task and event services.
 */
package io.berth.shim;
