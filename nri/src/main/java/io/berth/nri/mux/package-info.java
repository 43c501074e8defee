/** Two logical connections, one for each direction of calls, over the one socket of a plugin. */
package io.berth.nri.mux;
