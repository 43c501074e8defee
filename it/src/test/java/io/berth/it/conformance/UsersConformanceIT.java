package io.berth.it.conformance;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.berth.cri.v1.ContainerConfig;
import io.berth.cri.v1.LinuxContainerSecurityContext;
import io.berth.cri.v1.SupplementalGroupsPolicy;
import java.util.List;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Whom a container's process runs as, by the request and by the image. */
@Timeout(120)
class UsersConformanceIT {

    @RegisterExtension
    static final Cri CRI = new Cri();

    private static Consumer<ContainerConfig.Builder> as(Consumer<LinuxContainerSecurityContext.Builder> change) {
        return config -> change.accept(config.getLinuxBuilder().getSecurityContextBuilder());
    }

    /** User, group and further groups without the group itself, from the kernel. */
    private static String identity(String container) {
        return CRI.out(container, "sh", "-c", "echo $(id -u) $(id -g) $(grep Groups: /proc/self/status | cut -f2)").strip();
    }

    private static String identity(Consumer<LinuxContainerSecurityContext.Builder> change) {
        return identity(CRI.sleeper(CRI.pod(), as(change)));
    }

    private static List<String> words(String text) {
        return List.of(text.split(" ")).stream().distinct().toList();
    }

    @Test
    void withoutAWishItIsRoot() {
        assertTrue(identity(context -> { }).startsWith("0 0"));
    }

    @Test
    void aNumberIsTakenAsItIs() {
        assertTrue(identity(context -> context.getRunAsUserBuilder().setValue(4242)).startsWith("4242 0"));
    }

    @Test
    void aNumberOfTheImagesAccountsBringsItsGroup() {
        assertTrue(identity(context -> context.getRunAsUserBuilder().setValue(1002)).startsWith("1002 100"));
    }

    @Test
    void aNameIsLookedUpInTheImage() {
        assertTrue(identity(context -> context.setRunAsUsername("sailor")).startsWith("1001 1001"));
    }

    @Test
    void anUnknownNameIsRefused() {
        var pod = CRI.pod();
        Cri.refused(() -> CRI.run(pod, as(context -> context.setRunAsUsername("stowaway")), "true"));
    }

    @Test
    void aGroupNeedsAUser() {
        assertTrue(identity(context -> {
            context.getRunAsUserBuilder().setValue(1001);
            context.getRunAsGroupBuilder().setValue(7777);
        }).startsWith("1001 7777"));
        assertTrue(identity(context -> {
            context.setRunAsUsername("sailor");
            context.getRunAsGroupBuilder().setValue(7777);
        }).startsWith("1001 7777"));
        var pod = CRI.pod();
        Cri.refused(() -> CRI.create(pod, as(context -> context.getRunAsGroupBuilder().setValue(7777)), "true"));
    }

    @Test
    void furtherGroupsAreAddedToTheImages() {
        String identity = identity(context -> {
            context.setRunAsUsername("sailor");
            context.addSupplementalGroups(60001).addSupplementalGroups(60002);
        });
        assertTrue(words(identity).containsAll(List.of("1001", "50000", "50001", "60001", "60002")), identity);
    }

    @Test
    void withTheStrictPolicyOnlyTheGivenGroupsCount() {
        String identity = identity(context -> {
            context.setRunAsUsername("sailor").setSupplementalGroupsPolicy(SupplementalGroupsPolicy.Strict);
            context.addSupplementalGroups(60001);
        });
        assertEquals(List.of("1001", "60001"), words(identity).stream().sorted().toList());
    }

    @Test
    void theStatusTellsTheUser() {
        String merged = CRI.sleeper(CRI.pod(), as(context -> context.setRunAsUsername("sailor").addSupplementalGroups(60001)));
        var user = CRI.status(merged).getUser().getLinux();
        assertEquals(1001, user.getUid());
        assertEquals(1001, user.getGid());
        assertEquals(List.of(1001L, 50000L, 50001L, 60001L), user.getSupplementalGroupsList().stream().sorted().toList());
        String strict = CRI.sleeper(CRI.pod(), as(context -> context.setRunAsUsername("sailor").addSupplementalGroups(60001)
                .setSupplementalGroupsPolicy(SupplementalGroupsPolicy.Strict)));
        assertEquals(List.of(1001L, 60001L), CRI.status(strict).getUser().getLinux().getSupplementalGroupsList().stream()
                .sorted().toList());
    }

    @ParameterizedTest
    @CsvSource({"user-number, 1002 100", "user-name, 1001 1001", "user-numbers, 1003 50001", "user-names, 1001 50000"})
    void theImagesUserIsUsed(String repository, String expected) {
        String image = CRI.pulled(repository);
        String container = CRI.sleeper(CRI.pod(), config -> config.setImage(Cri.image(image)));
        assertTrue(identity(container).startsWith(expected), () -> identity(container));
    }

    @Test
    void theRequestsUserWinsOverTheImages() {
        String image = CRI.pulled("user-names");
        String container = CRI.sleeper(CRI.pod(), config -> {
            config.setImage(Cri.image(image));
            config.getLinuxBuilder().getSecurityContextBuilder().getRunAsUserBuilder().setValue(1002);
        });
        assertTrue(identity(container).startsWith("1002 100"), () -> identity(container));
    }

    @ParameterizedTest
    @CsvSource({"user-unknown", "user-huge"})
    void anImagesUserThatCannotBeIsRefused(String repository) {
        String image = CRI.pulled(repository);
        var pod = CRI.pod();
        Cri.refused(() -> CRI.run(pod, config -> config.setImage(Cri.image(image)), "true"));
    }

    @ParameterizedTest
    @CsvSource({"-1", "4294967295", "4294967296", "9223372036854775807"})
    void aNumberThatIsNoIdIsRefused(long id) {
        CRI.onlyOnBerth("others take a part of it");
        var pod = CRI.pod();
        Cri.refusedAsWrong(() -> CRI.create(pod, as(context -> context.getRunAsUserBuilder().setValue(id)), "true"));
        Cri.refusedAsWrong(() -> CRI.create(pod, as(context -> {
            context.getRunAsUserBuilder().setValue(0);
            context.getRunAsGroupBuilder().setValue(id);
        }), "true"));
        Cri.refusedAsWrong(() -> CRI.create(pod, as(context -> context.addSupplementalGroups(id)), "true"));
    }

    @Test
    void theHomeDirectoryIsTheUsers() {
        assertEquals("/home/sailor\n", CRI.script(CRI.pod(), as(context -> context.setRunAsUsername("sailor")), "echo $HOME"));
    }
}
