/**
 * The only door to the kernel. Everything that the JDK cannot ask of Linux itself is here: mounts, namespaces, netlink,
 * processes by pidfd, cgroups, inodes. The Foreign Function and Memory API is used in {@link io.berth.linux.Kernel} alone.
 */
package io.berth.linux;
