/** {@code berth bench}: Berth and other runtimes measured in turn over the CRI, on the same runtime and CNI plugins. */
package io.berth.cli.bench;
