/** Classes of block I/O that pods ask for by annotation. Source: the configuration format of goresctrl's blockio. */
package io.berth.pod.blockio;
