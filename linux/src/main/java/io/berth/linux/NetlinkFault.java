package io.berth.linux;

import io.berth.base.RuntimeFault;

/** The kernel refused a netlink request. The message is "action object: words of the error (the kernel's own text)". */
public final class NetlinkFault extends RuntimeFault {

    private final int errno;

    NetlinkFault(String action, int errno, String kernelText) {
        super(kindOf(errno), action + ": " + Errno.words(errno) + (kernelText.isEmpty() ? "" : " (" + kernelText + ")"));
        this.errno = errno;
    }

    /** One of the numbers of {@link Errno}. */
    public int errno() {
        return errno;
    }

    private static Kind kindOf(int errno) {
        return switch (errno) {
            case Errno.EEXIST -> Kind.ALREADY_EXISTS;
            case Errno.ENOENT, Errno.ENODEV -> Kind.NOT_FOUND;
            case Errno.EPERM, Errno.EACCES -> Kind.PERMISSION_DENIED;
            case Errno.ENOSPC, Errno.ENOMEM -> Kind.RESOURCE_EXHAUSTED;
            case Errno.EOPNOTSUPP -> Kind.UNSUPPORTED;
            default -> Kind.INTERNAL;
        };
    }
}
