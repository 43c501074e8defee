package io.berth.cli.run;

import io.berth.cli.client.DaemonFault;
import io.berth.cli.client.ExitCode;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Amounts of memory, such as 64m, 1g, 512Mi or a number of bytes; units count in 1024s, as docker's and Kubernetes' do. */
public final class Amount {

    private static final Pattern FORM = Pattern.compile("([0-9]{1,12})([bkmgt]?)(i?b?)");

    private Amount() {}

    /** @throws DaemonFault USAGE for another form, and for less than a container can live in */
    public static long bytes(String words) {
        Matcher matcher = FORM.matcher(words.toLowerCase(Locale.ROOT));
        if (!matcher.matches()) {
            throw new DaemonFault(ExitCode.USAGE, "use memory \"" + words + "\": an amount such as 64m, 1g or 512Mi is needed");
        }
        int power = matcher.group(2).isEmpty() ? 0 : "bkmgt".indexOf(matcher.group(2));
        return Math.multiplyExact(Long.parseLong(matcher.group(1)), 1L << 10 * power);
    }
}
