package io.berth.linux;

/**
 * Where systemd puts the groups that it makes. An OCI runtime with systemd's cgroup driver is given
 * {@code slice:prefix:name} in place of a path. Source: systemd.slice(5), runc's docs/systemd.md.
 */
final class SystemdGroup {

    private static final String SLICE = ".slice";

    private SystemdGroup() {}

    /** Whether it is the name of a slice or of a scope in one. */
    static boolean isOne(String group) {
        return !group.contains("/") && (group.endsWith(SLICE) || group.split(":", -1).length == 3);
    }

    /** The path below the cgroup file system; what is a path already stays as it is. */
    static String path(String group) {
        if (group.contains("/")) {
            return group;
        }
        String[] parts = group.split(":", -1);
        if (parts.length == 3) {
            return slice(parts[0]) + "/" + parts[1] + "-" + parts[2] + ".scope";
        }
        return group.endsWith(SLICE) ? slice(group) : group;
    }

    // a-b.slice lies in a.slice; the dash alone is the root.
    private static String slice(String name) {
        if (!name.endsWith(SLICE) || name.equals("-.slice")) {
            return "";
        }
        StringBuilder path = new StringBuilder();
        String bare = name.substring(0, name.length() - SLICE.length());
        for (int dash = bare.indexOf('-'); dash >= 0; dash = bare.indexOf('-', dash + 1)) {
            path.append('/').append(bare, 0, dash).append(SLICE);
        }
        return path.append('/').append(name).toString();
    }
}
