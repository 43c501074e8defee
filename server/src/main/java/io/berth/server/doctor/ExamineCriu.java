package io.berth.server.doctor;

/** CRIU, where checkpoints are switched on: whether it is there, and works on this kernel. */
final class ExamineCriu {

    private static final String AREA = "runtimes";

    private ExamineCriu() {}

    static Finding look(Host host) {
        if (host.find("criu").isEmpty()) {
            return Finding.problem(AREA, "runtime.enable_criu_support is set, and there is no criu in PATH",
                    "install it: apt-get install criu");
        }
        String version = host.run("criu", "--version").flatMap(words -> words.lines().findFirst()).orElse("criu")
                .replace("Version: ", "criu ");
        if (host.run("criu", "check").isEmpty()) {
            return Finding.problem(AREA, version + " does not work on this kernel: \"criu check\" fails",
                    "see its words, and docs/checkpoints.md for versions that were seen to work");
        }
        // It keeps a container's packets away while it writes, and Debian's package does not ask for the program.
        return host.find("iptables-restore").isEmpty() ? Finding.problem(AREA, version + " finds no iptables-restore in PATH",
                "install it: apt-get install iptables") : Finding.fine(AREA, version + " works on this kernel");
    }
}
