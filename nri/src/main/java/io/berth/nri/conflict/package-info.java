/** What several plugins want to change of a container, put together; two that want the same thing are refused. */
package io.berth.nri.conflict;
