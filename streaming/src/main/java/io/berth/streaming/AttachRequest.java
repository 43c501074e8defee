package io.berth.streaming;

/** Join the streams of a container's first process. */
public record AttachRequest(String containerId, boolean tty, boolean stdin, boolean stdout, boolean stderr)
        implements ProcessRequest {

    public AttachRequest {
        ProcessRequest.check("attach", containerId, tty, stdin, stdout, stderr);
    }
}
