package io.berth.server.rpc;

import io.grpc.Status;
import jdk.jfr.Category;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;

/** A call, for the JDK's flight recorder. As with steps, none is made before somebody records. Used by one thread. */
@Name("berth.Call")
@Label("Call")
@Category("Berth")
@Description("A call of the Container Runtime Interface or of Berth's own")
@StackTrace(false)
final class CallEvent extends Event {

    @Label("Method")
    String method;

    @Label("Subject")
    @Description("What it is about: a name or an id, may be empty")
    String subject;

    @Label("Status")
    @Description("gRPC's, OK for success")
    String status;

    @Label("Trace")
    @Description("The trace's id, empty where the call is not traced")
    String trace;

    static CallEvent begun() {
        CallEvent event = new CallEvent();
        event.begin();
        return event;
    }

    /** Ends it, and records it where somebody records. */
    void ended(String calledMethod, String about, Status.Code code, CallWatch.Watched call) {
        end();
        if (shouldCommit()) {
            method = calledMethod;
            subject = about;
            status = code.name();
            trace = call.traceId().orElse("");
            commit();
        }
    }
}
