/** Classes of cache and memory bandwidth that pods ask for by annotation. Source: the kernel's x86/resctrl, goresctrl's rdt. */
package io.berth.pod.rdt;
