/** {@code berth demo}: the main job shown from nothing to nothing. */
package io.berth.cli.demo;
