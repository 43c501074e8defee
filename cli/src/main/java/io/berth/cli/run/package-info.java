/** What {@code berth run} needs: requests made of a command line, and a pod that lives as long as it is watched. */
package io.berth.cli.run;
