/** A container runtime inside one's own process: start it, run pods, close it. docs/embedding.md has a sample. */
package io.berth.embedded;
