package io.berth.linux;

/** The kinds of namespaces. Source: namespaces(7). */
public enum Namespace {
    NET("net", 0x40000000),
    IPC("ipc", 0x08000000),
    UTS("uts", 0x04000000),
    PID("pid", 0x20000000),
    MNT("mnt", 0x00020000),
    CGROUP("cgroup", 0x02000000),
    USER("user", 0x10000000);

    private final String procName;
    final int flag;

    Namespace(String procName, int flag) {
        this.procName = procName;
        this.flag = flag;
    }

    /** The name under {@code /proc/PID/ns}. */
    public String procName() {
        return procName;
    }
}
