package io.berth.cli.manual;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import picocli.CommandLine.Help.Ansi;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Model.PositionalParamSpec;

/** The manual page of one command, as man(7) wants it. */
public final class ManualPage {

    private final CommandSpec command;

    public ManualPage(CommandSpec command) {
        this.command = command;
    }

    /** Such as berth-image-pull. */
    public String name() {
        return command.qualifiedName("-");
    }

    /** The page. */
    public String text() {
        List<String> lines = new ArrayList<>();
        String description = String.join(" ", command.usageMessage().description());
        lines.add(".TH " + name().toUpperCase(Locale.ROOT) + " 1 \"\" \"berth\" \"Berth\"");
        section(lines, "NAME", name() + " - " + firstSentence(description));
        lines.add(".SH SYNOPSIS");
        lines.add(".nf");
        command.commandLine().getHelp().synopsis(0).stripTrailing().lines().forEach(line -> lines.add(escaped(line.strip())));
        lines.add(".fi");
        section(lines, "DESCRIPTION", description);
        arguments(lines);
        options(lines);
        commands(lines);
        footer(lines);
        lines.add(".SH SEE ALSO");
        lines.add("berth(1), berth\\-config(5), and the documents in /usr/share/doc/berth");
        return String.join("\n", lines) + "\n";
    }

    private void arguments(List<String> lines) {
        if (!command.positionalParameters().isEmpty()) {
            lines.add(".SH ARGUMENTS");
            for (PositionalParamSpec each : command.positionalParameters()) {
                lines.add(".TP");
                lines.add("\\fI" + escaped(each.paramLabel()) + "\\fR");
                lines.add(escaped(words(each.description(), each.defaultValueString())));
            }
        }
    }

    private void options(List<String> lines) {
        lines.add(".SH OPTIONS");
        for (OptionSpec each : command.options()) {
            if (!each.hidden()) {
                lines.add(".TP");
                String value = each.arity().max() == 0 ? "" : " \\fI" + escaped(each.paramLabel()) + "\\fR";
                lines.add("\\fB" + String.join("\\fR, \\fB",
                        Arrays.stream(each.names()).map(ManualPage::escaped).toList()) + "\\fR" + value);
                lines.add(escaped(words(each.description(), each.defaultValueString())));
            }
        }
    }

    private void commands(List<String> lines) {
        if (!command.subcommands().isEmpty()) {
            lines.add(".SH COMMANDS");
            command.subcommands().values().stream().filter(each -> !each.getCommandSpec().usageMessage().hidden())
                    .forEach(each -> {
                        lines.add(".TP");
                        lines.add("\\fB" + each.getCommandSpec().qualifiedName("-") + "\\fR(1)");
                        lines.add(escaped(firstSentence(String.join(" ", each.getCommandSpec().usageMessage().description()))));
                    });
        }
    }

    private void footer(List<String> lines) {
        String heading = command.usageMessage().footerHeading().replace("%n", "").replace(":", "").strip();
        if (!heading.isEmpty()) {
            lines.add(".SH " + heading.toUpperCase(Locale.ROOT));
            lines.add(".nf");
            for (String line : command.usageMessage().footer()) {
                lines.add(escaped(line));
            }
            lines.add(".fi");
        }
    }

    private static void section(List<String> lines, String heading, String text) {
        lines.add(".SH " + heading);
        lines.add(escaped(text));
    }

    private static String words(String[] description, String fallback) {
        return Ansi.OFF.string(String.join(" ", description)).replace("${DEFAULT-VALUE}", fallback == null ? "none" : fallback);
    }

    private static String firstSentence(String text) {
        int end = text.indexOf(". ");
        return (end < 0 ? text : text.substring(0, end)).replaceFirst("\\.$", "");
    }

    // A line that begins with a dot or a quote would be a request.
    static String escaped(String text) {
        String plain = text.replace("\\", "\\\\").replace("-", "\\-");
        return plain.startsWith(".") || plain.startsWith("'") ? "\\&" + plain : plain;
    }
}
