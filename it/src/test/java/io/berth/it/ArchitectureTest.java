package io.berth.it;

import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.domain.JavaMethodCall;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.library.dependencies.SliceAssignment;
import com.tngtech.archunit.library.dependencies.SliceIdentifier;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** The fence around the modules: which may know which, and which door each alone may use. ARCHITECTURE.md has the reasons. */
class ArchitectureTest {

    /** Each module with what it may use, by the name of its package below io.berth. "cri" is the generated protocol. */
    private static final Map<String, Set<String>> MAY_USE = Map.ofEntries(
            Map.entry("base", Set.of()),
            Map.entry("cri", Set.of()),
            Map.entry("api", Set.of()),
            Map.entry("extension", Set.of()),
            Map.entry("snapshotter", Set.of()),
            Map.entry("linux", Set.of("base")),
            Map.entry("store", Set.of("base")),
            Map.entry("image", Set.of("base")),
            Map.entry("snapshot", Set.of("base", "linux")),
            Map.entry("network", Set.of("base", "linux")),
            Map.entry("runtime", Set.of("base", "linux")),
            Map.entry("ttrpc", Set.of("base")),
            Map.entry("nri", Set.of("base", "linux", "ttrpc")),
            Map.entry("shim", Set.of("base", "linux", "runtime", "ttrpc")),
            Map.entry("streaming", Set.of("base")),
            Map.entry("pod", Set.of("base", "linux", "cri", "store", "image", "snapshot", "network", "runtime", "streaming")),
            Map.entry("server", Set.of("base", "linux", "cri", "api", "store", "image", "snapshot", "network", "runtime",
                    "streaming", "nri", "shim", "snapshotter", "extension", "pod")),
            Map.entry("cli", Set.of("base", "linux", "cri", "api", "image", "network", "streaming", "server")),
            Map.entry("embedded", Set.of("base", "cri", "api", "server", "cli")));

    private static final JavaClasses CLASSES = new ClassFileImporter()
            .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS).importPackages("io.berth");

    @TestFactory
    List<DynamicTest> modulesKnowOnlyThoseBelowThem() {
        List<DynamicTest> tests = new ArrayList<>();
        MAY_USE.forEach((module, allowed) -> {
            Set<String> others = new TreeSet<>(MAY_USE.keySet());
            others.add("it");
            others.remove(module);
            others.removeAll(allowed);
            tests.add(DynamicTest.dynamicTest(module, () -> noClasses().that().resideInAPackage(module(module))
                    .should().dependOnClassesThat()
                    .resideInAnyPackage(others.stream().map(ArchitectureTest::module).toArray(String[]::new))
                    .allowEmptyShould(false).check(CLASSES)));
        });
        return tests;
    }

    private static String module(String name) {
        return "io.berth." + name + "..";
    }

    @Test
    void packagesHaveNoCycles() {
        slices().assignedFrom(new Packages()).should().beFreeOfCycles().check(CLASSES);
    }

    /**
     * Each package for itself. One exception: a sandbox ends its containers, a container joins its sandbox's namespaces,
     * and the node holds the parts of both, so these three packages of pod are one unit.
     */
    private static final class Packages implements SliceAssignment {

        private static final Set<String> ONE_UNIT = Set.of("io.berth.pod", "io.berth.pod.container", "io.berth.pod.sandbox");

        @Override
        public SliceIdentifier getIdentifierOf(JavaClass javaClass) {
            String name = javaClass.getPackageName();
            return SliceIdentifier.of(ONE_UNIT.contains(name) ? "io.berth.pod" : name);
        }

        @Override
        public String getDescription() {
            return "packages";
        }
    }

    @Test
    void grpcIsOnlyAtTheEdge() {
        noClasses().that().resideOutsideOfPackages("io.berth.server..", "io.berth.cli..", "io.berth.cri..", "io.berth.api..",
                        "io.berth.snapshotter..")
                .should().dependOnClassesThat(resideInAPackage("io.grpc..")).check(CLASSES);
    }

    @Test
    void foreignMemoryIsOnlyInLinux() {
        noClasses().that().resideOutsideOfPackage("io.berth.linux..")
                .should().dependOnClassesThat(resideInAPackage("java.lang.foreign..")).check(CLASSES);
    }

    /**
     * Classes that ask what time it is: for records and answers that people and clients read, never to measure or to wait.
     * A clock that is set must not end a wait, keep one from its end, or make anything old.
     */
    private static final Set<String> TELL_THE_TIME = Set.of("base.FileAge", "base.Timeline", "base.Timeline$Operation",
            "base.UnixTime", "image.ImportImage", "image.BringArtifact", "image.PullImage", "image.PullProgress",
            // A registry may ask to be left alone until a certain hour; the options limit how long.
            "image.RegistryAnswer",
            "pod.Findings", "pod.Reconcile", "pod.checkpoint.CheckpointDumps", "pod.container.CreateContainer",
            "pod.container.Exits", "pod.container.LostEnds", "pod.container.RestoreContainer", "pod.container.StartContainer", "pod.container.StopContainer",
            "pod.events.ContainerEvents", "pod.sandbox.PrepareSandbox", "pod.sandbox.RunPodSandbox",
            "pod.stats.MeasureContainer", "pod.stats.MeasurePod",
            "server.rpc.BerthRpcs", "shim.CriLog", "server.rpc.ImageRpcs", "server.rpc.RuntimeRpcs", "cli.LogsCommand", "cli.PodsCommand",
            "cli.PsCommand", "cli.bench.PodRun", "server.Daemon", "server.console.NodeFindings",
            "server.console.UsageHistory", "server.doctor.ExamineClock", "server.extension.ExtensionEvents",
            "server.log.JdkLogHandler", "server.log.LineLogger");

    @Test
    void theClockOnTheWallIsOnlyReadOut() {
        noClasses().that(new DescribedPredicate<>("do not tell the time") {
            @Override
            public boolean test(JavaClass javaClass) {
                return !TELL_THE_TIME.contains(javaClass.getName().substring("io.berth.".length()));
            }
        }).should().callMethodWhere(new DescribedPredicate<>("it reads the clock on the wall") {
            @Override
            public boolean test(JavaMethodCall call) {
                String owner = call.getTargetOwner().getName();
                return call.getName().equals("currentTimeMillis")
                        || call.getName().equals("now") && (owner.startsWith("java.time.") || owner.equals("io.berth.base.UnixTime"))
                        || owner.equals("java.time.Clock");
            }
        }).orShould().callConstructor(java.util.Date.class).check(CLASSES);
    }

    @Test
    void theHttpClientIsOnlyInImage() {
        noClasses().that().resideOutsideOfPackage("io.berth.image..")
                .should().dependOnClassesThat(resideInAPackage("java.net.http..")).check(CLASSES);
    }
}
