/** Where others may take part in the lives of pods and containers; implementations live outside of this module. */
package io.berth.pod.extension;
