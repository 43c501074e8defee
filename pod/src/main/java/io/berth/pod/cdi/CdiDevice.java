package io.berth.pod.cdi;

import io.berth.base.RuntimeFault;
import java.util.regex.Pattern;

/**
 * A device's full name, {@code vendor.com/class=name}.
 *
 * @param kind vendor and class
 */
record CdiDevice(String kind, String name) {

    private static final Pattern KIND = Pattern.compile("[A-Za-z0-9][A-Za-z0-9_.-]*/[A-Za-z0-9][A-Za-z0-9_.-]*");
    private static final Pattern NAME = Pattern.compile("[A-Za-z0-9][A-Za-z0-9_.:-]*");

    static CdiDevice parse(String text) {
        int equals = text.indexOf('=');
        if (equals < 0 || !isKind(text.substring(0, equals)) || !isName(text.substring(equals + 1))) {
            throw RuntimeFault.invalid("add CDI device \"" + text + "\": a name like vendor.com/class=name is needed");
        }
        return new CdiDevice(text.substring(0, equals), text.substring(equals + 1));
    }

    static boolean isKind(String text) {
        return KIND.matcher(text).matches();
    }

    static boolean isName(String text) {
        return NAME.matcher(text).matches();
    }

    @Override
    public String toString() {
        return kind + "=" + name;
    }
}
