/**
 * What the runtime is: the lifecycles of sandboxes and containers, one file per verb. The messages of the CRI are the
 * language of its configuration (docs/adr/0003); its transport is not known here.
 */
package io.berth.pod;
