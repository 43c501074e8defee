package io.berth.cli.migrate;

import io.berth.snapshot.Snapshotters;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** containerd's keys about snapshotters: which are used, and where those that are programs of their own listen. */
final class ImportSnapshotters {

    private static final Pattern PROXY = Pattern.compile("proxy_plugins/([^/]+)/(type|address)");
    private static final Pattern OF_HANDLER = Pattern.compile("(?:containerd/runtimes|runtime_platforms)/([^/]+)/snapshotter");

    private final ForeignConfig file;
    private final Imported imported;

    ImportSnapshotters(ForeignConfig file, Imported imported) {
        this.file = file;
        this.imported = imported;
    }

    /**
     * Takes the key if it is about snapshotters.
     *
     * @param inner the key without the name of a plugin
     */
    boolean add(String key, String inner, Object value) {
        Matcher proxy = PROXY.matcher(inner);
        Matcher handler = OF_HANDLER.matcher(inner);
        if (proxy.matches() && isSnapshotter(proxy.group(1))) {
            imported.take(key, "proxy_plugins." + proxy.group(1) + "." + proxy.group(2), value);
        } else if (inner.equals("snapshotter") || inner.equals("containerd/snapshotter")) {
            use(key, "images.snapshotter", value);
        } else if (handler.matches()) {
            use(key, "runtime.runtimes." + handler.group(1) + ".snapshotter", value);
        } else {
            return false;
        }
        return true;
    }

    private void use(String key, String ours, Object value) {
        if (Known.isEmpty(value)) {
            imported.unneeded(key, "it is empty");
        } else if (value.equals(Snapshotters.BUILT_IN) || isSnapshotter(value.toString())) {
            imported.take(key, ours, value);
        } else {
            imported.none(key, value, "Berth has " + Snapshotters.BUILT_IN + " and those below [proxy_plugins], not others of"
                    + " containerd's own");
        }
    }

    private boolean isSnapshotter(String name) {
        return "snapshot".equals(file.values().get("proxy_plugins/" + name + "/type"));
    }
}
