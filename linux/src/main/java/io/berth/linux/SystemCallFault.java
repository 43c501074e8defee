package io.berth.linux;

import io.berth.base.RuntimeFault;

/** The kernel refused a call. The message is "action object: words of the error". */
public final class SystemCallFault extends RuntimeFault {

    private final int errno;

    SystemCallFault(String action, String object, int errno) {
        super(kindOf(errno), action + " " + object + ": " + Errno.words(errno));
        this.errno = errno;
    }

    /** One of the numbers of {@link Errno}. */
    public int errno() {
        return errno;
    }

    private static Kind kindOf(int errno) {
        return switch (errno) {
            case Errno.ENOSPC, Errno.ENOMEM -> Kind.RESOURCE_EXHAUSTED;
            case Errno.ENOSYS, Errno.EOPNOTSUPP -> Kind.UNSUPPORTED;
            default -> Kind.INTERNAL;
        };
    }
}
