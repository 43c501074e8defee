package io.berth.streaming;

import io.berth.base.RuntimeFault;

/** A client has stopped reading: its connection is cut without a farewell, for which there would be no room either. */
public final class StalledClient extends RuntimeFault {

    public StalledClient(String message) {
        super(Kind.ABORTED, message);
    }
}
