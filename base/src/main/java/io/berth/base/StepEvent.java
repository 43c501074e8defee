package io.berth.base;

import jdk.jfr.Category;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;

/**
 * A step of an operation, for the JDK's flight recorder. None is made before somebody has begun to record: the first event of
 * a process takes longer than anything else in the daemon's start, as the recorder reads what it is. Used by one thread.
 */
@Name("berth.Step")
@Label("Step")
@Category("Berth")
@Description("A step of an operation on a pod, a container or an image")
@StackTrace(false)
final class StepEvent extends Event {

    @Label("Operation")
    String operation;

    @Label("Step")
    String step;

    @Label("Subject")
    @Description("The id of the pod or container; empty where there is none")
    String subject;

    @Label("Error")
    @Description("Why it failed; empty if it did not")
    String error;

    static StepEvent begun() {
        StepEvent event = new StepEvent();
        event.begin();
        return event;
    }

    /** Ends it, and records it where somebody records. */
    void taken(Timeline.Step taken) {
        end();
        if (shouldCommit()) {
            operation = taken.operation();
            step = taken.step();
            subject = taken.subject();
            error = taken.error();
            commit();
        }
    }
}
