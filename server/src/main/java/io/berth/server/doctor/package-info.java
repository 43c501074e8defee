/** What the doctor looks at: one class for each area, each finding with its cure. */
package io.berth.server.doctor;
