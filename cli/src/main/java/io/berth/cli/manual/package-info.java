/** Manual pages made from what the commands say about themselves. */
package io.berth.cli.manual;
