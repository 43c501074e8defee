package io.berth.nri;

import io.berth.base.RuntimeFault;

/**
 * A plugin's name with its place among the others.
 *
 * @param index two digits
 */
record PluginName(String index, String base) {

    static PluginName of(String index, String base) {
        if (!index.matches("[0-9]{2}")) {
            throw RuntimeFault.invalid("register NRI plugin: index \"" + printable(index) + "\" is not two digits");
        }
        if (!base.matches("[A-Za-z0-9_.+-]{1,128}")) {
            throw RuntimeFault.invalid("register NRI plugin: name \"" + printable(base)
                    + "\" is not made of letters, digits, and _ . + -");
        }
        return new PluginName(index, base);
    }

    /** From the name of a file. */
    static PluginName parse(String text) {
        int dash = text.indexOf('-');
        return of(dash < 0 ? text : text.substring(0, dash), dash < 0 ? "" : text.substring(dash + 1));
    }

    private static String printable(String text) {
        String plain = text.replaceAll("\\p{Cntrl}", "?");
        return plain.length() <= 64 ? plain : plain.substring(0, 64) + "...";
    }

    @Override
    public String toString() {
        return index + "-" + base;
    }
}
