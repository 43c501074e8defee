package io.berth.cli.manual;

import io.berth.cli.output.TomlValue;
import io.berth.server.config.KeyReference;
import java.util.ArrayList;
import java.util.List;

/** The manual page of the configuration, from what the code says of its keys. */
public final class ConfigPage {

    /** The page. */
    public String text() {
        List<String> lines = new ArrayList<>(List.of(".TH BERTH-CONFIG 5 \"\" \"berth\" \"Berth\"", ".SH NAME",
                "berth\\-config \\- the configuration of the daemon", ".SH DESCRIPTION",
                "The daemon reads \\fI/etc/berth/config.toml\\fR and then every file \\fIconfig.d/*.toml\\fR beside it, in the"
                        + " order of their names. A later file wins key by key; without any file the defaults hold. A key that"
                        + " does not exist is an error. \\fBberth config\\fR prints what holds and where it comes from,"
                        + " \\fBberth config check\\fR checks a file.", ".SH KEYS"));
        for (KeyReference each : KeyReference.all()) {
            lines.add(".TP");
            lines.add("\\fB" + ManualPage.escaped(each.key()) + "\\fR = " + ManualPage.escaped(TomlValue.of(each.fallback())));
            lines.add(ManualPage.escaped(each.meaning().replace("`", "").replaceAll("\\[([^]]+)]\\([^)]*\\)", "$1")));
        }
        lines.add(".SH SEE ALSO");
        lines.add("berth(1), and /usr/share/doc/berth/configuration.md");
        return String.join("\n", lines) + "\n";
    }
}
