/**
 * OCI runtimes by their command line, the monitor that watches each container, and the OCI specification that they are
 * given. Knows nothing of pods. Source: OCI runtime-spec, runc(8), crun(1), conmon(8).
 */
package io.berth.runtime;
