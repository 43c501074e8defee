package io.berth.linux;

/**
 * The system calls that Berth makes, with their numbers on x86-64 and arm64.
 *
 * <p>Source: the kernel's {@code arch/x86/entry/syscalls/syscall_64.tbl} and {@code include/uapi/asm-generic/unistd.h}.
 */
enum SystemCall {
    READ(0, 63),
    WRITE(1, 64),
    CLOSE(3, 57),
    LSEEK(8, 62),
    IOCTL(16, 29),
    SOCKET(41, 198),
    CONNECT(42, 203),
    SENDTO(44, 206),
    RECVFROM(45, 207),
    SENDMSG(46, 211),
    RECVMSG(47, 212),
    SHUTDOWN(48, 210),
    BIND(49, 200),
    LISTEN(50, 201),
    ACCEPT4(288, 242),
    GETSOCKNAME(51, 204),
    SETSOCKOPT(54, 208),
    KILL(62, 129),
    WAIT4(61, 260),
    FCNTL(72, 25),
    FSYNC(74, 82),
    FTRUNCATE(77, 46),
    FCHDIR(81, 50),
    FCHMOD(91, 52),
    FCHOWN(93, 55),
    STATFS(137, 43),
    SYNCFS(306, 267),
    UMOUNT2(166, 39),
    MOUNT(165, 40),
    SETHOSTNAME(170, 161),
    GETTID(186, 178),
    UTIMENSAT(280, 88),
    OPENAT(257, 56),
    MKDIRAT(258, 34),
    MKNODAT(259, 33),
    FCHOWNAT(260, 54),
    UNLINKAT(263, 35),
    RENAMEAT2(316, 276),
    LINKAT(265, 37),
    SYMLINKAT(266, 36),
    READLINKAT(267, 78),
    FCHMODAT(268, 53),
    NEWFSTATAT(262, 79),
    PPOLL(271, 73),
    UNSHARE(272, 97),
    FALLOCATE(285, 47),
    DUP3(292, 24),
    PIPE2(293, 59),
    SOCKETPAIR(53, 199),
    SETNS(308, 268),
    LSETXATTR(189, 6),
    FSETXATTR(190, 7),
    LGETXATTR(192, 9),
    LREMOVEXATTR(198, 15),
    MEMFD_CREATE(319, 279),
    COPY_FILE_RANGE(326, 285),
    STATX(332, 291),
    PIDFD_SEND_SIGNAL(424, 424),
    OPEN_TREE(428, 428),
    MOVE_MOUNT(429, 429),
    FSOPEN(430, 430),
    FSCONFIG(431, 431),
    FSMOUNT(432, 432),
    PIDFD_OPEN(434, 434),
    OPENAT2(437, 437),
    MOUNT_SETATTR(442, 442);

    private static final boolean ARM = System.getProperty("os.arch").equals("aarch64");

    private final int x86;
    private final int arm;

    SystemCall(int x86, int arm) {
        this.x86 = x86;
        this.arm = arm;
    }

    int number() {
        return ARM ? arm : x86;
    }
}
