/** What containers and pods use: read from their cgroups when somebody asks, nothing goes on in between. */
package io.berth.pod.stats;
