/**
 * Extensions of Berth in Java: an {@link io.berth.extension.Extension} has a say about images, hears of pods and containers,
 * or gives pods their network. This package needs nothing but the JDK, and an extension sees nothing of Berth but it.
 */
package io.berth.extension;
