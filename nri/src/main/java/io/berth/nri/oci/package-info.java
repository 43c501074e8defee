/** Between NRI's messages and the OCI runtime specification, as JSON. */
package io.berth.nri.oci;
