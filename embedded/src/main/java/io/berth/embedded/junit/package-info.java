/** Pods for tests of JUnit 5 and newer. */
package io.berth.embedded.junit;
