/** The references in docs that are made from the code, and the test that says when they are out of date. */
package io.berth.it.reference;
