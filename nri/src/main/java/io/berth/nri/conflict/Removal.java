package io.berth.nri.conflict;

/** The mark of what a plugin removes: "-" in front of its key, path or name. */
public final class Removal {

    private static final String MARK = "-";

    private Removal() {}

    public static boolean isMarked(String key) {
        return key.startsWith(MARK);
    }

    /** The key without the mark. */
    public static String key(String key) {
        return isMarked(key) ? key.substring(MARK.length()) : key;
    }

    static String mark(String key) {
        return MARK + key;
    }
}
