/** Where pods and NRI plugins meet: Berth's records as NRI's messages, and what plugins ask for as verbs. */
package io.berth.server.nri;
