/** The verbs of sandboxes, one a file, and the files and namespaces that a sandbox is made of. */
package io.berth.pod.sandbox;
