package io.berth.server.doctor;

import io.berth.server.config.Config;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * OCI runtimes and the monitor: whether they are there, their versions, and known attacks that a version is open to.
 * Distributions put fixes into old versions, so an old version is a warning that names what to look for.
 */
final class ExamineRuntimes implements Examination {

    private static final String AREA = "runtimes";

    private record Attack(String program, String name, List<Version> fixedIn, String what) {

        // A fix goes into several lines of versions; the first is that of the oldest line.
        boolean isOpen(Version version) {
            return fixedIn.stream().filter(fixed -> fixed.major() == version.major() && fixed.minor() == version.minor())
                    .findFirst().map(fixed -> version.compareTo(fixed) < 0)
                    .orElse(version.compareTo(fixedIn.getFirst()) < 0);
        }
    }

    private static final List<Attack> ATTACKS = List.of(
            new Attack("runc", "CVE-2021-30465", List.of(new Version(1, 0, 0)), "a container can mount over the host"),
            new Attack("runc", "CVE-2024-21626", List.of(new Version(1, 1, 12)), "a container can start in a host directory"),
            new Attack("runc", "CVE-2025-31133, CVE-2025-52565 and CVE-2025-52881",
                    List.of(new Version(1, 2, 8), new Version(1, 3, 3), new Version(1, 4, 0)),
                    "a container can write to the host's /proc"),
            new Attack("runc", "CVE-2026-41579",
                    List.of(new Version(1, 3, 6), new Version(1, 4, 3), new Version(1, 5, 0)),
                    "an image with a link for /dev can write to the host"),
            new Attack("crun", "CVE-2022-27650", List.of(new Version(1, 4, 4)), "processes inherit capabilities"),
            new Attack("crun", "CVE-2025-24965", List.of(new Version(1, 20, 0)), "an image can write outside of its container"),
            new Attack("crun", "CVE-2026-47766", List.of(new Version(1, 28, 0)),
                    "an image with a link for /dev can write to the host"),
            new Attack("youki", "CVE-2025-54867", List.of(new Version(0, 5, 5)),
                    "an image with links for /proc and /sys reaches the host's files"),
            new Attack("youki", "CVE-2025-62161 and CVE-2025-62596", List.of(new Version(0, 5, 7)),
                    "a container can write to the host's /proc"),
            // Versions of runsc are dates; the advisory of March 2025 names a commit and no release, so the first one after it.
            new Attack("runsc", "CVE-2025-2713", List.of(new Version(20250401, 0, 0)),
                    "users of the node can read files of root's through it"),
            new Attack("conmon", "CVE-2022-1708", List.of(new Version(2, 1, 2)), "exec output can fill the node's memory"));

    @Override
    public List<Finding> look(Host host, Config config) {
        List<Finding> found = new ArrayList<>();
        Map<String, String> programs = new LinkedHashMap<>();
        if (config.runtime().runtimes().isEmpty()) {
            List.of("crun", "runc").stream().filter(name -> host.find(name).isPresent())
                    .forEach(name -> programs.put(name, name));
            if (programs.isEmpty()) {
                found.add(Finding.problem(AREA, "neither crun nor runc is in PATH", "install one: apt-get install crun"));
            }
        }
        config.runtime().runtimes().forEach((name, handler) -> {
            if (handler.isShim()) {
                found.add(shim(host, name, handler.path()));
                if (handler.type().startsWith("io.containerd.runsc.")) {
                    found.addAll(runscOfShim(host, "handler " + name));
                }
            } else {
                programs.put(name, handler.path());
            }
        });
        programs.forEach((name, program) -> found.addAll(program(host, "handler " + name, program)));
        if (config.runtime().checkpoints()) {
            found.add(ExamineCriu.look(host));
        }
        config.runtime().runtimes().forEach((name, handler) -> {
            if (!handler.isShim() && version(host, handler.path()).filter(words -> words.startsWith("runsc")).isPresent()) {
                found.addAll(gvisor(host, "handler " + name, handler));
            }
        });
        found.addAll(program(host, "monitor", config.runtime().conmon()));
        return found;
    }

    // What a shim runs it knows itself, and it tells its version in a form of its own.
    private static Finding shim(Host host, String handler, String program) {
        return host.find(program).map(place -> Finding.fine(AREA, "handler " + handler + ": shim " + place))
                .orElseGet(() -> Finding.problem(AREA, "handler " + handler + ": there is no shim " + program,
                        "install it (for runc: apt-get install containerd) or correct its path"));
    }

    // Which one it is, is said in the shim's own file; most name none.
    private static List<Finding> runscOfShim(Host host, String role) {
        return host.find("runsc").isPresent() ? program(host, role, "runsc")
                : List.of(Finding.warning(AREA, role + ": there is no runsc in PATH, which gVisor's shim looks for",
                        "install it, of the same version as the shim, unless the shim's file says where it is (binary_name)"));
    }

    // What gVisor's own network stack takes from the pod's namespace, the next container does not find there.
    private static List<Finding> gvisor(Host host, String role, Config.Handler handler) {
        List<Finding> found = new ArrayList<>();
        boolean told = host.find(handler.path()).flatMap(place -> host.run(place, "features")).isPresent();
        found.add(Finding.fine(AREA, role + ": each container has a kernel of its own, gVisor's; "
                + (told ? "it tells its features" : "this version does not tell its features")));
        if (handler.arguments().stream().anyMatch(argument -> argument.matches("--?network=(?!host$).*"))) {
            found.add(Finding.warning(AREA, role + ": options.arguments gives gVisor a network stack of its own, and with it the"
                    + " pod's addresses to one container alone: a second one, and one that is started again, has no network",
                    "take --network out of options.arguments, or use gVisor's shim, with one sandbox for each pod"));
        }
        return found;
    }

    private static Optional<String> version(Host host, String program) {
        return host.find(program).flatMap(place -> host.run(place, "--version")).flatMap(text -> text.lines().findFirst());
    }

    private static List<Finding> program(Host host, String role, String program) {
        Optional<String> place = host.find(program);
        if (place.isEmpty()) {
            return List.of(Finding.problem(AREA, role + ": there is no program " + program,
                    "install it (apt-get install " + program.replaceFirst("^.*/", "") + ") or correct its path"));
        }
        Optional<String> words = host.run(place.get(), "--version").flatMap(text -> text.lines().findFirst());
        Optional<Version> version = words.flatMap(line -> line.startsWith("runsc") ? Version.ofDate(line) : Version.in(line));
        if (version.isEmpty()) {
            return List.of(Finding.warning(AREA, role + ": " + place.get() + " does not tell its version",
                    "run \"" + place.get() + " --version\" by hand"));
        }
        List<Finding> found = new ArrayList<>(List.of(Finding.fine(AREA, role + ": " + words.get() + ", " + place.get())));
        ATTACKS.stream().filter(attack -> words.get().startsWith(attack.program) && attack.isOpen(version.get()))
                .forEach(attack -> found.add(Finding.warning(AREA, attack.program + " " + version.get()
                        + " is older than the fix of " + attack.name + ": " + attack.what, "update it to " + attack.fixedIn.getLast()
                        + " or newer, or see in your distribution's changelog whether the fix is in")));
        return found;
    }
}
