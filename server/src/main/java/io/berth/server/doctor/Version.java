package io.berth.server.doctor;

import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The first three numbers of a version; where versions are dates, the date is the first. */
record Version(int major, int minor, int patch) implements Comparable<Version> {

    private static final Pattern FORM = Pattern.compile("([0-9]{1,5})\\.([0-9]{1,5})(?:\\.([0-9]{1,5}))?");

    private static final Pattern DATE = Pattern.compile("(20[0-9]{6})\\.([0-9]{1,5})");

    /** The first version in a text. */
    static Optional<Version> in(String text) {
        Matcher matcher = FORM.matcher(text);
        return matcher.find() ? Optional.of(new Version(Integer.parseInt(matcher.group(1)), Integer.parseInt(matcher.group(2)),
                matcher.group(3) == null ? 0 : Integer.parseInt(matcher.group(3)))) : Optional.empty();
    }

    /** The date in a text as a version's first number, such as 20250210 of {@code release-20250210.0}. */
    static Optional<Version> ofDate(String text) {
        Matcher matcher = DATE.matcher(text);
        return matcher.find() ? Optional.of(new Version(Integer.parseInt(matcher.group(1)),
                Integer.parseInt(matcher.group(2)), 0)) : Optional.empty();
    }

    boolean isBefore(int otherMajor, int otherMinor, int otherPatch) {
        return compareTo(new Version(otherMajor, otherMinor, otherPatch)) < 0;
    }

    @Override
    public int compareTo(Version other) {
        return major != other.major ? Integer.compare(major, other.major)
                : minor != other.minor ? Integer.compare(minor, other.minor) : Integer.compare(patch, other.patch);
    }

    @Override
    public String toString() {
        return major + "." + minor + "." + patch;
    }
}
