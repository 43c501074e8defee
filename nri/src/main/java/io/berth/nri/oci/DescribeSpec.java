package io.berth.nri.oci;

import io.berth.nri.v1.Container;
import io.berth.nri.v1.Hook;
import io.berth.nri.v1.Hooks;
import io.berth.nri.v1.IOPrioClass;
import io.berth.nri.v1.LinuxContainer;
import io.berth.nri.v1.LinuxDevice;
import io.berth.nri.v1.LinuxResources;
import io.berth.nri.v1.LinuxSchedulerPolicy;
import io.berth.nri.v1.OptionalFileMode;
import io.berth.nri.v1.OptionalInt;
import io.berth.nri.v1.OptionalInt64;
import io.berth.nri.v1.OptionalUInt32;
import io.berth.nri.v1.OptionalUInt64;
import java.util.List;
import java.util.function.Consumer;
import tools.jackson.databind.JsonNode;

/** Tells a plugin of a container what its OCI specification says. */
public record DescribeSpec(JsonNode spec) {

    /** Fills in what the specification knows of {@code container}. */
    public void into(Container.Builder container) {
        JsonNode process = spec.path("process");
        process.path("args").forEach(each -> container.addArgs(each.asString()));
        process.path("env").forEach(each -> container.addEnv(each.asString()));
        spec.path("annotations").propertyStream().forEach(each ->
                container.putAnnotations(each.getKey(), each.getValue().asString()));
        for (JsonNode mount : spec.path("mounts")) {
            var target = container.addMountsBuilder().setDestination(text(mount, "destination")).setType(text(mount, "type"))
                    .setSource(text(mount, "source"));
            mount.path("options").forEach(option -> target.addOptions(option.asString()));
        }
        container.setHooks(hooks(spec.path("hooks")));
        for (JsonNode limit : process.path("rlimits")) {
            container.addRlimitsBuilder().setType(text(limit, "type")).setHard(limit.path("hard").asLong())
                    .setSoft(limit.path("soft").asLong());
        }
        var user = container.getUserBuilder().setUid((int) process.path("user").path("uid").asLong())
                .setGid((int) process.path("user").path("gid").asLong());
        process.path("user").path("additionalGids").forEach(group -> user.addAdditionalGids((int) group.asLong()));
        linux(process, container.getLinuxBuilder());
    }

    private static Hooks hooks(JsonNode hooks) {
        Hooks.Builder all = Hooks.newBuilder();
        each(hooks.path("prestart"), all::addPrestart);
        each(hooks.path("createRuntime"), all::addCreateRuntime);
        each(hooks.path("createContainer"), all::addCreateContainer);
        each(hooks.path("startContainer"), all::addStartContainer);
        each(hooks.path("poststart"), all::addPoststart);
        each(hooks.path("poststop"), all::addPoststop);
        return all.build();
    }

    private static void each(JsonNode list, Consumer<Hook> take) {
        for (JsonNode hook : list) {
            Hook.Builder built = Hook.newBuilder().setPath(text(hook, "path"));
            hook.path("args").forEach(argument -> built.addArgs(argument.asString()));
            hook.path("env").forEach(entry -> built.addEnv(entry.asString()));
            if (hook.has("timeout")) {
                built.setTimeout(OptionalInt.newBuilder().setValue(hook.path("timeout").asLong()));
            }
            take.accept(built.build());
        }
    }

    private void linux(JsonNode process, LinuxContainer.Builder target) {
        JsonNode linux = spec.path("linux");
        for (JsonNode namespace : linux.path("namespaces")) {
            target.addNamespacesBuilder().setType(text(namespace, "type")).setPath(text(namespace, "path"));
        }
        linux.path("devices").forEach(device -> target.addDevices(device(device)));
        resources(linux.path("resources"), target.getResourcesBuilder());
        if (process.has("oomScoreAdj")) {
            target.setOomScoreAdj(OptionalInt.newBuilder().setValue(process.path("oomScoreAdj").asLong()));
        }
        target.setCgroupsPath(text(linux, "cgroupsPath"));
        linux.path("sysctl").propertyStream().forEach(each -> target.putSysctl(each.getKey(), each.getValue().asString()));
        JsonNode priority = process.path("ioPriority");
        if (priority.isObject()) {
            target.getIoPriorityBuilder().setPriority(priority.path("priority").asInt()).setClass_(
                    named(IOPrioClass.values(), text(priority, "class"), IOPrioClass.IOPRIO_CLASS_NONE));
        }
        JsonNode scheduler = process.path("scheduler");
        if (scheduler.isObject()) {
            target.getSchedulerBuilder().setNice(scheduler.path("nice").asInt()).setPriority(scheduler.path("priority").asInt())
                    .setPolicy(named(LinuxSchedulerPolicy.values(), text(scheduler, "policy"), LinuxSchedulerPolicy.SCHED_NONE));
        }
    }

    private static <E extends Enum<E>> E named(E[] values, String name, E otherwise) {
        return List.of(values).stream().filter(value -> value.name().equals(name)).findFirst().orElse(otherwise);
    }

    private static LinuxDevice device(JsonNode device) {
        LinuxDevice.Builder built = LinuxDevice.newBuilder().setPath(text(device, "path")).setType(text(device, "type"))
                .setMajor(device.path("major").asLong()).setMinor(device.path("minor").asLong());
        if (device.has("fileMode")) {
            built.setFileMode(OptionalFileMode.newBuilder().setValue(device.path("fileMode").asInt()));
        }
        if (device.has("uid")) {
            built.setUid(OptionalUInt32.newBuilder().setValue((int) device.path("uid").asLong()));
        }
        if (device.has("gid")) {
            built.setGid(OptionalUInt32.newBuilder().setValue((int) device.path("gid").asLong()));
        }
        return built.build();
    }

    private static void resources(JsonNode resources, LinuxResources.Builder target) {
        JsonNode memory = resources.path("memory");
        // There even when nothing is in it: plugins in Go look into it without asking.
        target.getMemoryBuilder();
        signed(memory, "limit", value -> target.getMemoryBuilder().setLimit(value));
        signed(memory, "reservation", value -> target.getMemoryBuilder().setReservation(value));
        signed(memory, "swap", value -> target.getMemoryBuilder().setSwap(value));
        JsonNode cpu = resources.path("cpu");
        unsigned(cpu, "shares", value -> target.getCpuBuilder().setShares(value));
        signed(cpu, "quota", value -> target.getCpuBuilder().setQuota(value));
        unsigned(cpu, "period", value -> target.getCpuBuilder().setPeriod(value));
        signed(cpu, "realtimeRuntime", value -> target.getCpuBuilder().setRealtimeRuntime(value));
        unsigned(cpu, "realtimePeriod", value -> target.getCpuBuilder().setRealtimePeriod(value));
        target.getCpuBuilder().setCpus(text(cpu, "cpus")).setMems(text(cpu, "mems"));
        for (JsonNode limit : resources.path("hugepageLimits")) {
            target.addHugepageLimitsBuilder().setPageSize(text(limit, "pageSize")).setLimit(limit.path("limit").asLong());
        }
        resources.path("unified").propertyStream().forEach(each ->
                target.putUnified(each.getKey(), each.getValue().asString()));
        for (JsonNode rule : resources.path("devices")) {
            var built = target.addDevicesBuilder().setAllow(rule.path("allow").asBoolean()).setType(text(rule, "type"))
                    .setAccess(text(rule, "access"));
            signed(rule, "major", built::setMajor);
            signed(rule, "minor", built::setMinor);
        }
        if (resources.path("pids").has("limit")) {
            target.getPidsBuilder().setLimit(resources.path("pids").path("limit").asLong());
        }
    }

    private static void signed(JsonNode node, String name, Consumer<OptionalInt64> take) {
        if (node.has(name)) {
            take.accept(OptionalInt64.newBuilder().setValue(node.path(name).asLong()).build());
        }
    }

    private static void unsigned(JsonNode node, String name, Consumer<OptionalUInt64> take) {
        if (node.has(name)) {
            take.accept(OptionalUInt64.newBuilder().setValue(node.path(name).asLong()).build());
        }
    }

    private static String text(JsonNode node, String name) {
        return node.path(name).asString("");
    }
}
