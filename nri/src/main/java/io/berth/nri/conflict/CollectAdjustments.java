package io.berth.nri.conflict;

import io.berth.base.RuntimeFault;
import io.berth.nri.v1.CDIDevice;
import io.berth.nri.v1.Container;
import io.berth.nri.v1.ContainerAdjustment;
import io.berth.nri.v1.Field;
import io.berth.nri.v1.Hooks;
import io.berth.nri.v1.KeyValue;
import io.berth.nri.v1.LinuxContainerAdjustment;
import io.berth.nri.v1.LinuxDevice;
import io.berth.nri.v1.LinuxNamespace;
import io.berth.nri.v1.LinuxRdt;
import io.berth.nri.v1.Mount;
import io.berth.nri.v1.POSIXRlimit;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import java.util.function.Function;

/**
 * The adjustments of one container, plugin by plugin: what each one wants is claimed for it, and the next one is shown the
 * container as it would be by then. Used by one thread.
 */
public final class CollectAdjustments {

    private final String id;
    private final Owners owners;
    private final Container.Builder container;
    private final ContainerAdjustment.Builder adjusted = ContainerAdjustment.newBuilder();

    /** @param container as it is without plugins */
    public CollectAdjustments(Container container, Owners owners) {
        this.id = container.getId();
        this.owners = owners;
        this.container = container.toBuilder();
    }

    /** The container as the next plugin shall see it. */
    public Container container() {
        return container.build();
    }

    /** All adjustments so far. */
    public ContainerAdjustment adjustment() {
        return adjusted.build();
    }

    /** @throws RuntimeFault FAILED_PRECONDITION for a conflict, INVALID_ARGUMENT for what makes no sense */
    public void add(ContainerAdjustment wanted, String plugin) {
        if (wanted.equals(ContainerAdjustment.getDefaultInstance())) {
            return;
        }
        try {
            AdjustmentRules.check(wanted);
        } catch (RuntimeFault fault) {
            throw RuntimeFault.during("NRI plugin " + plugin + " adjusts container " + id, fault);
        }
        entries(wanted.getAnnotationsMap(), Field.Annotations, plugin, container::putAnnotations, container::removeAnnotations,
                adjusted::putAnnotations, adjusted::removeAnnotations);
        mounts(wanted.getMountsList(), plugin);
        environment(wanted.getEnvList(), plugin);
        arguments(wanted.getArgsList(), plugin);
        hooks(wanted.getHooks(), plugin);
        for (POSIXRlimit limit : wanted.getRlimitsList()) {
            owners.claim(id, Field.Rlimits, limit.getType(), plugin);
            container.addRlimits(limit);
            adjusted.addRlimits(limit);
        }
        for (CDIDevice device : wanted.getCDIDevicesList()) {
            owners.claim(id, Field.CdiDevices, device.getName(), plugin);
            adjusted.addCDIDevices(device);
        }
        if (wanted.hasLinux()) {
            linux(wanted.getLinux(), plugin);
        }
    }

    private void linux(LinuxContainerAdjustment wanted, String plugin) {
        var linux = container.getLinuxBuilder();
        var reply = adjusted.getLinuxBuilder();
        devices(wanted.getDevicesList(), plugin);
        namespaces(wanted.getNamespacesList(), plugin);
        entries(wanted.getSysctlMap(), Field.Sysctl, plugin, linux::putSysctl, linux::removeSysctl, reply::putSysctl,
                reply::removeSysctl);
        entries(wanted.getNetDevicesMap(), Field.LinuxNetDevices, plugin, linux::putNetDevices, linux::removeNetDevices,
                reply::putNetDevices, reply::removeNetDevices);
        if (wanted.hasResources()) {
            var before = reply.getResources();
            new MergeResources(owners, id, plugin).merge(wanted.getResources(), reply.getResourcesBuilder());
            if (!reply.getResources().equals(before)) {
                linux.getResourcesBuilder().mergeFrom(wanted.getResources());
            }
        }
        if (!wanted.getCgroupsPath().isEmpty()) {
            owners.claim(id, Field.CgroupsPath, plugin);
            linux.setCgroupsPath(wanted.getCgroupsPath());
            reply.setCgroupsPath(wanted.getCgroupsPath());
        }
        one(wanted.hasOomScoreAdj(), Field.OomScoreAdj, plugin, () -> {
            linux.setOomScoreAdj(wanted.getOomScoreAdj());
            reply.setOomScoreAdj(wanted.getOomScoreAdj());
        });
        one(wanted.hasIoPriority(), Field.IoPriority, plugin, () -> {
            linux.setIoPriority(wanted.getIoPriority());
            reply.setIoPriority(wanted.getIoPriority());
        });
        one(wanted.hasSeccompPolicy(), Field.SeccompPolicy, plugin, () -> {
            linux.setSeccompPolicy(wanted.getSeccompPolicy());
            reply.setSeccompPolicy(wanted.getSeccompPolicy());
        });
        one(wanted.hasScheduler(), Field.LinuxSched, plugin, () -> {
            linux.setScheduler(wanted.getScheduler());
            reply.setScheduler(wanted.getScheduler());
        });
        one(wanted.hasMemoryPolicy(), Field.MemoryPolicy, plugin, () -> reply.setMemoryPolicy(wanted.getMemoryPolicy()));
        if (wanted.hasRdt()) {
            rdt(wanted.getRdt(), plugin);
        }
    }

    private void one(boolean present, Field field, String plugin, Runnable take) {
        if (present) {
            owners.claim(id, field, plugin);
            take.run();
        }
    }

    private <T> void entries(Map<String, T> wanted, Field field, String plugin, BiConsumer<String, T> put,
            Consumer<String> remove, BiConsumer<String, T> reply, Consumer<String> replyRemove) {
        wanted.forEach((key, value) -> {
            if (Removal.isMarked(key)) {
                String name = Removal.key(key);
                owners.clear(id, field, name, plugin);
                remove.accept(name);
                replyRemove.accept(name);
                reply.accept(key, value);
            }
        });
        wanted.forEach((key, value) -> {
            if (!Removal.isMarked(key)) {
                owners.claim(id, field, key, plugin);
                put.accept(key, value);
                reply.accept(key, value);
                replyRemove.accept(Removal.mark(key));
            }
        });
    }

    /** As {@link #entries}, for lists whose elements have a key. Gives the list of the container and that of the answer. */
    private <T> List<List<T>> elements(List<T> wanted, Function<T, String> key, Field field, String plugin, List<T> present,
            List<T> answered) {
        Set<String> touched = new HashSet<>();
        Set<String> set = new HashSet<>();
        Set<String> removed = new HashSet<>();
        for (T each : wanted) {
            String name = Removal.key(key.apply(each));
            touched.add(name);
            if (Removal.isMarked(key.apply(each))) {
                owners.clear(id, field, name, plugin);
                removed.add(name);
            } else {
                set.add(name);
            }
        }
        List<T> container = new ArrayList<>(present.stream().filter(each -> !touched.contains(key.apply(each))).toList());
        List<T> answer = new ArrayList<>(answered);
        answer.removeIf(each -> removed.contains(Removal.key(key.apply(each))));
        for (T each : wanted) {
            if (!Removal.isMarked(key.apply(each))) {
                owners.claim(id, field, key.apply(each), plugin);
                container.add(each);
                answer.add(each);
            } else if (!set.contains(Removal.key(key.apply(each)))) {
                answer.add(each);
            }
        }
        return List.of(container, answer);
    }

    private void mounts(List<Mount> wanted, String plugin) {
        var lists = elements(wanted, Mount::getDestination, Field.Mounts, plugin, container.getMountsList(),
                adjusted.getMountsList());
        container.clearMounts().addAllMounts(lists.get(0));
        adjusted.clearMounts().addAllMounts(lists.get(1));
    }

    private void environment(List<KeyValue> wanted, String plugin) {
        List<KeyValue> present = container.getEnvList().stream().map(CollectAdjustments::variable).toList();
        var lists = elements(wanted, KeyValue::getKey, Field.Env, plugin, present, adjusted.getEnvList());
        container.clearEnv();
        lists.get(0).forEach(entry -> container.addEnv(entry.getKey() + "=" + entry.getValue()));
        adjusted.clearEnv().addAllEnv(lists.get(1));
    }

    private static KeyValue variable(String text) {
        int equals = text.indexOf('=');
        return equals < 0 ? KeyValue.newBuilder().setKey(text).build()
                : KeyValue.newBuilder().setKey(text.substring(0, equals)).setValue(text.substring(equals + 1)).build();
    }

    private void devices(List<LinuxDevice> wanted, String plugin) {
        var linux = container.getLinuxBuilder();
        var lists = elements(wanted, LinuxDevice::getPath, Field.Devices, plugin, linux.getDevicesList(),
                adjusted.getLinux().getDevicesList());
        linux.clearDevices().addAllDevices(lists.get(0));
        adjusted.getLinuxBuilder().clearDevices().addAllDevices(lists.get(1));
    }

    // Also the removal of a namespace is a claim on it.
    private void namespaces(List<LinuxNamespace> wanted, String plugin) {
        var linux = container.getLinuxBuilder();
        for (LinuxNamespace each : wanted) {
            String type = Removal.key(each.getType());
            owners.claim(id, Field.Namespace, type, plugin);
            for (int i = linux.getNamespacesCount() - 1; i >= 0; i--) {
                if (linux.getNamespaces(i).getType().equals(type)) {
                    linux.removeNamespaces(i);
                }
            }
            if (!Removal.isMarked(each.getType())) {
                linux.addNamespaces(each);
            }
            adjusted.getLinuxBuilder().addNamespaces(each);
        }
    }

    // An empty first word says that another plugin's arguments may be replaced.
    private void arguments(List<String> wanted, String plugin) {
        if (wanted.isEmpty()) {
            return;
        }
        List<String> arguments = wanted;
        if (wanted.getFirst().isEmpty()) {
            owners.clear(id, Field.Args, "", plugin);
            arguments = wanted.subList(1, wanted.size());
        }
        owners.claim(id, Field.Args, plugin);
        container.clearArgs().addAllArgs(arguments);
        adjusted.clearArgs().addAllArgs(arguments);
    }

    private void hooks(Hooks wanted, String plugin) {
        if (!wanted.equals(Hooks.getDefaultInstance())) {
            owners.share(id, Field.OciHooks, plugin);
            container.getHooksBuilder().mergeFrom(wanted);
            adjusted.getHooksBuilder().mergeFrom(wanted);
        }
    }

    private void rdt(LinuxRdt wanted, String plugin) {
        var reply = adjusted.getLinuxBuilder().getRdtBuilder();
        if (wanted.getRemove()) {
            for (Field field : List.of(Field.RdtClosID, Field.RdtSchemata, Field.RdtEnableMonitoring)) {
                owners.clear(id, field, "", plugin);
            }
            reply.clear().setRemove(true);
        }
        if (wanted.hasClosId()) {
            owners.claim(id, Field.RdtClosID, plugin);
            reply.setClosId(wanted.getClosId()).clearRemove();
        }
        if (wanted.hasSchemata()) {
            owners.claim(id, Field.RdtSchemata, plugin);
            reply.setSchemata(wanted.getSchemata()).clearRemove();
        }
        if (wanted.hasEnableMonitoring()) {
            owners.claim(id, Field.RdtEnableMonitoring, plugin);
            reply.setEnableMonitoring(wanted.getEnableMonitoring()).clearRemove();
        }
        container.getLinuxBuilder().setRdt(reply);
    }
}
