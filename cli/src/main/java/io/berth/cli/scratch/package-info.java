/** A daemon of its own for a demo or a test: directories, network, image, process, and what is left of them at the end. */
package io.berth.cli.scratch;
