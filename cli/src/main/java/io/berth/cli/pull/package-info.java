/** Pulling an image and showing how far it is. */
package io.berth.cli.pull;
