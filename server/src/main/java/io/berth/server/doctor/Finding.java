package io.berth.server.doctor;

/**
 * One thing that was found.
 *
 * @param area where, such as kernel or disk
 * @param what was found, in one line
 * @param cure what to do; empty when all is well
 */
public record Finding(Grade grade, String area, String what, String cure) {

    /** How bad it is. */
    public enum Grade {
        /** As it should be. */
        FINE,
        /** Good to know. */
        NOTE,
        /** Works, but not well or not safely. */
        WARNING,
        /** Pods will not run, or the node is open to a known attack. */
        PROBLEM
    }

    static Finding fine(String area, String what) {
        return new Finding(Grade.FINE, area, what, "");
    }

    static Finding note(String area, String what, String cure) {
        return new Finding(Grade.NOTE, area, what, cure);
    }

    static Finding warning(String area, String what, String cure) {
        return new Finding(Grade.WARNING, area, what, cure);
    }

    static Finding problem(String area, String what, String cure) {
        return new Finding(Grade.PROBLEM, area, what, cure);
    }
}
