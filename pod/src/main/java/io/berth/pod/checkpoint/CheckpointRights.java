package io.berth.pod.checkpoint;

import com.google.protobuf.UnknownFieldSet;
import io.berth.runtime.Capabilities;
import java.nio.charset.StandardCharsets;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import tools.jackson.databind.JsonNode;

/**
 * The rights that CRIU will give to processes: it takes users, capabilities and filters from its images and not from the
 * request. Of every thread that will run they are compared with what the request gives. That is no defence against an
 * archive which somebody has forged, see {@code docs/adr/0013}. Source: CRIU, {@code images/core.proto} and
 * {@code images/creds.proto}.
 */
final class CheckpointRights {

    private static final int DEAD = 2;
    private static final int ZOMBIE = 6;
    private static final int ROOT = 0;
    private static final List<Integer> USERS = List.of(1, 3, 5, 7);
    private static final List<Integer> GROUPS = List.of(2, 4, 6, 8);
    private static final List<Integer> CAPABILITIES = List.of(9, 10, 11, 12, 19);

    private final CriuImages images;
    private final JsonNode linux;
    private final JsonNode process;
    private final long capabilities;
    private final Set<String> beyond = new TreeSet<>();

    private CheckpointRights(CriuImages images, JsonNode spec) {
        this.images = images;
        this.linux = spec.path("linux");
        this.process = spec.path("process");
        this.capabilities = Capabilities.mask(Stream.of("bounding", "permitted", "effective", "inheritable", "ambient")
                .flatMap(set -> process.path("capabilities").path(set).valueStream()).map(name -> name.asString("")).toList());
    }

    /**
     * What its processes had beyond the request, each as a part of a sentence; empty where there is nothing.
     *
     * @param spec the specification that was made from the request
     * @throws io.berth.base.RuntimeFault INVALID_ARGUMENT for an image that is none
     */
    static Set<String> beyond(CriuImages images, JsonNode spec) {
        CheckpointRights rights = new CheckpointRights(images, spec);
        if (!images.read(CriuImages.Kind.CORE, rights::thread)) {
            throw images.bad("core", "it is not there");
        }
        return rights.beyond;
    }

    private void thread(UnknownFieldSet core) {
        long state = images.number(images.message(core, 3), 1);
        if (core.hasField(3) && (state == DEAD || state == ZOMBIE)) {
            return;
        }
        UnknownFieldSet thread = images.message(core, 5);
        // CRIU would leave it the rights that it has itself.
        if (!thread.hasField(10)) {
            throw images.bad("core", "it does not say which rights a process had");
        }
        UnknownFieldSet rights = images.message(thread, 10);
        capabilities(rights);
        users(rights);
        confinement(thread, rights);
    }

    private void capabilities(UnknownFieldSet rights) {
        for (int field : CAPABILITIES) {
            List<Long> words = images.numbers(rights, field);
            long held = 0;
            for (int i = 0; i < words.size(); i++) {
                if (i > 1 && words.get(i) != 0) {
                    throw images.bad("core", "it has capabilities that nobody knows");
                }
                held |= (words.get(i) & 0xffff_ffffL) << (i * Integer.SIZE);
            }
            Capabilities.names(held & ~capabilities).forEach(beyond::add);
        }
    }

    // Who is not root cannot become anybody else, but for programs that let them.
    private void users(UnknownFieldSet rights) {
        long user = process.path("user").path("uid").asLong(0);
        if (user == ROOT) {
            return;
        }
        USERS.stream().map(field -> images.number(rights, field)).filter(each -> each != user)
                .forEach(each -> beyond.add("the user " + each));
        Set<Long> groups = new HashSet<>(Set.of(process.path("user").path("gid").asLong(0)));
        process.path("user").path("additionalGids").valueStream().forEach(group -> groups.add(group.asLong(0)));
        Stream.concat(GROUPS.stream().map(field -> images.number(rights, field)), images.numbers(rights, 14).stream())
                .filter(each -> !groups.contains(each)).forEach(each -> beyond.add("the group " + each));
    }

    private void confinement(UnknownFieldSet thread, UnknownFieldSet rights) {
        if (process.path("noNewPrivileges").asBoolean(false) && images.number(rights, 18) == 0) {
            beyond.add("the possibility of new privileges");
        }
        if (linux.path("seccomp").isObject() && images.number(thread, 11) == 0) {
            beyond.add("all system calls (no seccomp filter)");
        }
        String profile = process.path("apparmorProfile").asString("");
        String had = new String(images.bytes(rights, 15), StandardCharsets.UTF_8);
        if (!profile.isEmpty() && !profile.equals("unconfined") && !profile.equals(had)) {
            beyond.add("another AppArmor profile than " + profile);
        }
    }
}
